//! [`Pool`]: many jobs, a bounded number of them at once.

mod floor;
mod limit;

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::cancel::Cancel;
use crate::execute::Notice;
use crate::parallel::floor::Floor;
pub use crate::parallel::limit::{Load, default_limit};

/// Runs many jobs, a bounded number of them at once, each on a thread of its own.
///
/// - Results come in the order of the inputs, whichever job ends first.
/// - The observer is told one thing at a time, in the order in which the jobs come to tell it. A job that has much to tell waits
///   for its turn each time, so that every other job that waits is heard before it is heard again.
/// - After an interrupt nothing new starts. Those that run share the [`Cancel`]: each Terraform gets one signal for it.
/// - A job that panics does not take the others with it.
///
/// ```
/// use menagerie_terraform::{Cancel, Job, JobEnd, Load, Pool, default_limit};
///
/// let pool = Pool::new(default_limit(Load::Computing));
/// let mut heard = Vec::new();
/// let ends = pool.run(&[1, 2, 0], &mut heard, &Cancel::default(), |job: &Job<'_, i32, Vec<usize>>| {
///     job.tell(|heard| heard.push(job.index));
///     if *job.input == 0 { Err("nothing to divide by") } else { Ok(10 / job.input) }
/// });
/// assert_eq!(ends, [JobEnd::Done(10), JobEnd::Done(5), JobEnd::Failed("nothing to divide by")]);
/// assert_eq!(heard.len(), 3);
/// ```
///
/// Terraform's notices go to an observer that also takes the number of the job, by [`Job::notice`]:
///
/// ```
/// # use menagerie_terraform::{Cancel, Ended, Job, JobEnd, Notice, PlanDone, PlanOptions, Pool, RunError, Terraform, Workdir};
/// fn plan_all(
///     pool: &Pool,
///     terraform: &Terraform,
///     roots: &[Workdir],
///     cancel: &Cancel,
/// ) -> Vec<JobEnd<Ended<PlanDone>, RunError>> {
///     let mut observer = |root: usize, notice: Notice<'_>| println!("{root}: {notice:?}");
///     pool.run(roots, &mut observer, cancel, |job| {
///         let mut notices = |notice: Notice<'_>| job.notice(notice);
///         job.input.plan(terraform, &PlanOptions::default(), &mut notices, cancel)
///     })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    limit: NonZeroUsize,
    when_one_fails: WhenOneFails,
}

/// What becomes of the others when one job fails or panics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenOneFails {
    /// They do not notice.
    #[default]
    Continue,
    /// Those that run go on to their end, and no other is started.
    StartNoMore,
}

/// One of the jobs of a [`Pool`], while it runs.
#[derive(Debug)]
pub struct Job<'a, J, O> {
    /// Which of the inputs it is for.
    pub index: usize,
    /// What it is for.
    pub input: &'a J,
    floor: &'a Floor<'a, O>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd<T, E> {
    /// It gave a result.
    Done(T),
    /// It failed.
    Failed(E),
    /// It panicked, with this message.
    Panicked(String),
    /// It was not started: the pool was interrupted, or another job had failed.
    NotStarted,
}

impl Pool {
    /// Runs at most this many jobs at once; [`default_limit`] knows how many are sensible.
    pub fn new(limit: NonZeroUsize) -> Self {
        Self { limit, when_one_fails: WhenOneFails::default() }
    }

    /// Says what becomes of the others when one job fails.
    #[must_use]
    pub fn when_one_fails(self, when_one_fails: WhenOneFails) -> Self {
        Self { when_one_fails, ..self }
    }

    /// Runs `work` for each input, and returns how each ended, in the order of the inputs.
    ///
    /// It returns when all that were started have ended. `work` is expected to give `cancel` to what it runs.
    pub fn run<J: Sync, O: Send, T: Send, E: Send>(
        &self,
        inputs: &[J],
        observer: &mut O,
        cancel: &Cancel,
        work: impl Fn(&Job<'_, J, O>) -> Result<T, E> + Sync,
    ) -> Vec<JobEnd<T, E>> {
        let floor = Floor::new(observer);
        let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let worker = || {
            let mut ends = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(input) = inputs.get(index) else { return ends };
                let is_over = cancel.count() > 0 || has_failed.load(Ordering::SeqCst);
                let end = if is_over {
                    JobEnd::NotStarted
                } else {
                    end_of(|| work(&Job { index, input, floor: &floor }))
                };
                let fails = matches!(end, JobEnd::Failed(_) | JobEnd::Panicked(_));
                if fails && self.when_one_fails == WhenOneFails::StartNoMore {
                    has_failed.store(true, Ordering::SeqCst);
                }
                ends.push((index, end));
            }
        };
        let mut ends = thread::scope(|scope| {
            // One worker is this thread: there is one even where the system gives us no other.
            let others = 1..self.limit.get().min(inputs.len());
            let others: Vec<_> = others
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, worker).ok())
                .collect();
            let mut ends = worker();
            for other in others {
                ends.extend(other.join().expect("panics of jobs are caught"));
            }
            ends
        });
        ends.sort_unstable_by_key(|(index, _)| *index);
        ends.into_iter().map(|(_, end)| end).collect()
    }
}

impl<J, O> Job<'_, J, O> {
    /// Waits for its turn, and then has the observer for itself until `say` returns.
    pub fn tell<R>(&self, say: impl FnOnce(&mut O) -> R) -> R {
        self.floor.take(say)
    }
}

impl<J, O: FnMut(usize, Notice<'_>)> Job<'_, J, O> {
    /// Tells the observer what Terraform has to say, and whose Terraform.
    pub fn notice(&self, notice: Notice<'_>) {
        self.tell(|observer| observer(self.index, notice));
    }
}

fn end_of<T, E>(work: impl FnOnce() -> Result<T, E>) -> JobEnd<T, E> {
    // A job's own things are dropped with it; the observer may be in the midst of something, which is for the caller to know.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => JobEnd::Done(done),
        Ok(Err(error)) => JobEnd::Failed(error),
        Err(panic) => JobEnd::Panicked(message(panic.as_ref())),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    fn pool(limit: usize) -> Pool {
        Pool::new(NonZeroUsize::new(limit).unwrap())
    }

    #[test]
    fn as_many_at_once_as_allowed_and_no_more() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // None gets on before three have come.
        let barrier = Barrier::new(3);
        let ends = pool(3).run(&[(); 9], &mut (), &Cancel::default(), |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            barrier.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ()>(())
        });
        assert_eq!(ends, [const { JobEnd::Done(()) }; 9]);
        assert_eq!(most.into_inner(), 3);
    }

    #[test]
    fn results_come_in_the_order_of_the_inputs() {
        // The first waits for the last.
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let receiver = std::sync::Mutex::new(receiver);
        let ends = pool(2).run(&[0, 1, 2, 3], &mut (), &Cancel::default(), |job| {
            match job.index {
                0 => receiver.lock().unwrap().recv().unwrap(),
                3 => sender.send(()).unwrap(),
                _ => {}
            }
            Ok::<_, ()>(*job.input)
        });
        assert_eq!(ends, [0, 1, 2, 3].map(JobEnd::Done));
        assert!(
            pool(2).run(&[(); 0], &mut (), &Cancel::default(), |_| Ok::<(), ()>(())).is_empty()
        );
    }

    fn with_trouble(when_one_fails: WhenOneFails) -> Vec<JobEnd<usize, &'static str>> {
        pool(1).when_one_fails(when_one_fails).run(
            &[0, 1, 2, 3],
            &mut (),
            &Cancel::default(),
            |job| match job.input {
                1 => Err("failed"),
                2 => panic!("panicked at {}", job.index),
                _ => Ok(job.index),
            },
        )
    }

    #[test]
    fn the_others_go_on_unless_asked_to_stop() {
        assert_eq!(
            with_trouble(WhenOneFails::Continue),
            [
                JobEnd::Done(0),
                JobEnd::Failed("failed"),
                JobEnd::Panicked("panicked at 2".to_owned()),
                JobEnd::Done(3)
            ]
        );
        assert_eq!(
            with_trouble(WhenOneFails::StartNoMore),
            [JobEnd::Done(0), JobEnd::Failed("failed"), JobEnd::NotStarted, JobEnd::NotStarted]
        );
    }

    #[test]
    fn an_observer_that_panics_fails_the_job_that_told_it() {
        let ends = pool(2).run(&[(); 4], &mut 0, &Cancel::default(), |job| {
            job.tell(|heard| {
                *heard += 1;
                assert_ne!(*heard, 2, "on purpose");
            });
            Ok::<_, ()>(())
        });
        assert_eq!(ends.iter().filter(|end| matches!(end, JobEnd::Panicked(_))).count(), 1);
        assert_eq!(ends.iter().filter(|end| **end == JobEnd::Done(())).count(), 3);
    }

    #[test]
    fn nothing_starts_after_an_interrupt() {
        let cancel = Cancel::default();
        let ends = pool(1).run(&[0, 1, 2], &mut (), &cancel, |job| {
            cancel.interrupt();
            Ok::<_, ()>(job.index)
        });
        assert_eq!(ends, [JobEnd::Done(0), JobEnd::NotStarted, JobEnd::NotStarted]);
    }
}
