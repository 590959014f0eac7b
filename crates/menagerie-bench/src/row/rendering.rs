//! Rendering a root module, against writing what was rendered.

use std::fs;

use menagerie_config::{Hosting, Project, Settings, Size};
use menagerie_template::{Root, Tags, Templates};

use crate::report::{Measure, Unit};
use crate::row::Setting;
use crate::sample::{interleaved, milliseconds};

/// How often it is done for one sample: once is too short for the clock.
const TIMES: u16 = 100;

pub(crate) fn render(setting: &mut Setting) -> anyhow::Result<Vec<Measure>> {
    let name = "calm-otter".parse()?;
    let (settings, project) = (Settings::default(), Project::default());
    let root = Root {
        name: &name,
        hosting: Hosting::Local,
        size: Size::Small,
        tags: Tags::default(),
        settings: &settings,
        project: &project,
    };
    let templates = Templates::default();
    let files = templates.render(&root)?.files;
    let directory = setting.directory()?;
    let each = |milliseconds: f64| milliseconds * 1000.0 / f64::from(TIMES);
    let pairs = interleaved(
        setting.rounds(11),
        || {
            milliseconds(|| {
                for _ in 0..TIMES {
                    std::hint::black_box(templates.render(&root)?);
                }
                Ok(())
            })
            .map(each)
        },
        || {
            milliseconds(|| {
                for _ in 0..TIMES {
                    for file in &files {
                        fs::write(directory.join(&file.path), &file.text)?;
                    }
                }
                Ok(())
            })
            .map(each)
        },
    )?;
    let what = format!("rendering the {} files of a root module", files.len());
    Ok(vec![Measure::against(what, Unit::Microseconds, "writing them", &pairs)])
}
