//! Names for environments: valid, memorable, unique, and short enough for everything that is named
//! after them.
//!
//! - [`EnvName`] is parsed once at the edge; whoever holds one never checks it again.
//! - [`draw()`] picks a pet name that nobody used before and that nobody mistakes for a living one;
//!   [`check_free`] holds a name given by a person to the same promise.
//! - [`fit()`] derives a name (`calm-otter-web`) within the limit of the system that has to take it.
//!
//! It touches no files and keeps no ledger: the names that are taken are passed in.
//!
//! ```
//! use menagerie_naming::{EnvName, Taken, check_free, draw, fit, limit};
//!
//! let living: EnvName = "calm-otter".parse()?;
//! let taken = Taken::new([living.clone()], []);
//!
//! let name = draw(Some(7), &taken)?;
//! assert_eq!(name, draw(Some(7), &taken)?);
//! assert!(check_free(&"calm-otters".parse()?, &taken).is_err(), "one letter away from a living environment");
//!
//! assert_eq!(fit(&living, "web", limit::LOAD_BALANCER)?, "calm-otter-web");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod draw;
mod fit;
mod name;
mod reserved;
mod taken;

pub use draw::{DrawError, draw};
pub use fit::{FitError, fit, limit};
pub use name::{EnvName, NameError};
pub use taken::{Taken, TakenError, check_free};
