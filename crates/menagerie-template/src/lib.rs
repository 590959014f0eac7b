//! Renders the Terraform root module of an environment, once, when it is made.
//!
//! - [`Templates`] are the built-in ones, with a project's own in the place of some ([`Templates::new`]).
//! - [`Templates::render`] turns a [`Root`] into the text of six files. It writes none of them.
//! - [`Rendered::version`], [`Rendered::checksums`] and [`Rendered::overrides`] are meant for `env.toml`: a file whose
//!   [`checksum`] is another one was edited since.
//!
//! # Values never become code
//! The templates under `templates/` are [Tera](https://keats.github.io/tera/): `base/` is what hostings share, and each
//! hosting has a directory with what differs. `docs/templates.md` describes their variables, blocks and filters. A value
//! is printed by the filter `hcl`, as the literal of its type:
//!
//! | value | literal |
//! |---|---|
//! | text | `"a $${b} \"c\"\n"`: what would start an interpolation or a directive, quotes, backslashes and what can't be seen (control, bidirectional and default-ignorable characters) are escaped |
//! | number, `bool`, none | `1`, `true`, `null` |
//! | list | `["a", "b"]` |
//! | map | one entry a line, quoted keys in order, `=` aligned as `terraform fmt` does; `hcl(indent=4)` says how far the line is indented on which it starts |
//!
//! A text, list or map that is printed without the filter is an error, and so is the filter `safe`. So is a literal that
//! stands where HCL expects no expression, such as inside of quotes, where the value would be code; or one that another
//! filter has changed. This holds for a project's own templates too.
//! Terraform brings the texts that it reads into Unicode's normal form C; the files hold them as they were given.
//!
//! ```
//! use menagerie_config::{Hosting, Project, Settings, Size};
//! use menagerie_template::{Root, Tags, Templates};
//!
//! let mut settings = Settings::default();
//! settings.set("environment.GREETING=hello ${name}")?;
//! let rendered = Templates::default().render(&Root {
//!     name: &"calm-otter".parse()?,
//!     hosting: Hosting::Local,
//!     size: Size::Small,
//!     tags: Tags::default(),
//!     settings: &settings,
//!     project: &Project::default(),
//! })?;
//!
//! let main = rendered.files.iter().find(|file| file.path == "main.tf").ok_or("no main.tf")?;
//! assert!(main.text.contains(r#""GREETING" = "hello $${name}""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builtin;
mod cases;
mod error;
mod literal;
mod locate;
#[cfg(test)]
mod page;
mod rendered;
mod size;
mod splice;
mod templates;
mod variables;

pub use cases::{Case, cases};
pub use error::{OVERRIDES, TemplateError};
pub use locate::TemplateLine;
pub use rendered::{File, Rendered, checksum};
pub use templates::Templates;
pub use variables::{Root, Tags};
