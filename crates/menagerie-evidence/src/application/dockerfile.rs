//! Dockerfiles: the images that they begin with, and as whom they run what they made.

use std::collections::HashMap;
use std::ops::Range;

use parse_dockerfile::{Flag, HealthcheckArguments, Instruction, Source, Stage};
use serde_json::Value;

use super::variables::{Variables, assignments};
use crate::Evidence;
use crate::fields::Fields;
use crate::image::ImageName;
use crate::text::Text;

/// A stage has all that the one which it begins with has, so that this must have an end.
const MOST_INSTRUCTIONS: usize = 10_000;

/// What is known of a stage when it ends.
#[derive(Clone, Default)]
struct Made {
    /// What `ENV` set, which stages that begin with this one have as well.
    environment: Variables,
    /// Where the last `USER` stands, and whom it names, if that is known.
    user: Option<(Range<usize>, Option<Value>)>,
    has_healthcheck: bool,
}

struct Reader<'a> {
    text: &'a Text<'a>,
    /// What `ARG` says before the first stage.
    arguments: Variables,
    /// By number, and by name in small letters.
    stages: Vec<Made>,
    names: HashMap<String, usize>,
    adds_remote: bool,
}

pub(super) fn read(text: &Text<'_>, evidence: &mut Evidence) {
    let dockerfile = match parse_dockerfile::parse(text.content) {
        Ok(dockerfile) => dockerfile,
        Err(error) => {
            let offset = text.offset(error.line(), error.column());
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            text.refuse(evidence, offset, format!("this is no Dockerfile: {message}"));
            return;
        }
    };
    if dockerfile.instructions.len() > MOST_INSTRUCTIONS {
        text.refuse(evidence, 0, format!("there are more than {MOST_INSTRUCTIONS} instructions"));
        return;
    }
    let mut reader = Reader {
        text,
        arguments: Variables::default(),
        stages: Vec::new(),
        names: HashMap::new(),
        adds_remote: false,
    };
    for argument in dockerfile.global_args() {
        for (name, value) in assignments(&argument.arguments.value) {
            let value = value.and_then(|value| reader.arguments.substitute(&value));
            reader.arguments.set(&name, value);
        }
    }
    let mut last = 0..0;
    for stage in dockerfile.stages() {
        last = stage.from.from.span.clone();
        reader.read_stage(&stage, evidence);
    }
    let made = reader.stages.last().cloned().unwrap_or_default();
    let mut fields = Fields::default();
    fields.set("stages", reader.stages.len());
    let (span, user) = made.user.unwrap_or((last, Some(Value::Null)));
    fields.set_if_known("user", user);
    fields.set("has_healthcheck", made.has_healthcheck);
    fields.set("adds_remote", reader.adds_remote);
    reader.add(evidence, ("dockerfile", "dockerfile"), fields, &span);
}

impl Reader<'_> {
    fn add(
        &self,
        evidence: &mut Evidence,
        (kind, what): (&str, &str),
        fields: Fields,
        span: &Range<usize>,
    ) {
        let address = format!("{}:{what}", self.text.path);
        evidence.records.push(fields.into_record(kind, address, Some(self.text.place(span))));
    }

    fn read_stage(&mut self, stage: &Stage<'_, '_>, evidence: &mut Evidence) {
        let number = self.stages.len();
        let what = format!("stage[{number}]");
        let from = &stage.from;
        let base = self.arguments.substitute(&from.image.value);
        let mut fields = self.image(base.as_deref());
        let name = from.as_.as_ref().map(|(_, name)| name.value.as_ref());
        fields.set("stage", name);
        let platform = flag(&from.options, "platform");
        fields.set("platform", platform);
        self.add(evidence, ("image", &what), fields, &from.image.span);

        let mut made = base.and_then(|base| self.stage(&base)).cloned().unwrap_or_default();
        let mut variables = made.environment.clone();
        let mut copied = 0;
        for instruction in stage.instructions {
            for (image, span) in other_images(instruction) {
                let image = variables.substitute(&image);
                // Stages go by number as well here, and by number or name they are no image.
                let is_number =
                    image.as_deref().is_some_and(|image| image.parse::<usize>().is_ok());
                if is_number || image.as_deref().is_some_and(|image| self.stage(image).is_some()) {
                    continue;
                }
                let mut fields = self.image(image.as_deref());
                fields.set("stage", name);
                fields.set("platform", None::<&str>);
                self.add(evidence, ("image", &format!("{what}.from[{copied}]")), fields, &span);
                copied += 1;
            }
            self.follow(instruction, &mut made, &mut variables);
        }
        self.stages.push(made);
        if let Some(name) = name {
            self.names.insert(name.to_ascii_lowercase(), number);
        }
    }

    /// Goes on over an instruction.
    fn follow(
        &mut self,
        instruction: &Instruction<'_>,
        made: &mut Made,
        variables: &mut Variables,
    ) {
        match instruction {
            Instruction::Arg(argument) => {
                for (name, value) in assignments(&argument.arguments.value) {
                    let value = match value {
                        Some(value) => variables.substitute(&value),
                        None => self.arguments.get(&name).cloned().flatten(),
                    };
                    variables.set(&name, value);
                }
            }
            Instruction::Env(environment) => {
                let text = &environment.arguments.value;
                let first = text.split_whitespace().next().unwrap_or_default();
                let pairs = if first.contains('=') {
                    assignments(text)
                } else {
                    // The older form, of one name and the rest of the line.
                    let value =
                        text.trim_start().strip_prefix(first).map(|it| it.trim().to_owned());
                    vec![(first.to_owned(), value)]
                };
                for (name, value) in pairs {
                    let value = value.and_then(|value| variables.substitute(&value));
                    made.environment.set(&name, value.clone());
                    variables.set(&name, value);
                }
            }
            Instruction::User(user) => {
                let text = &user.arguments;
                let name = variables.substitute(&text.value).map(Value::String);
                made.user = Some((text.span.clone(), name));
            }
            Instruction::Healthcheck(check) => {
                made.has_healthcheck = matches!(check.arguments, HealthcheckArguments::Cmd { .. });
            }
            Instruction::Add(add) if flag(&add.options, "checksum").is_none() => {
                self.adds_remote |= add.src.iter().any(|source| match source {
                    Source::Path(path) => is_remote(&path.value),
                    _ => false,
                });
            }
            _ => {}
        }
    }

    /// Returns what is known of an image that is begun with or copied from.
    fn image(&self, image: Option<&str>) -> Fields {
        let mut fields = Fields::default();
        let Some(text) = image else {
            for name in ["image", "tag", "digest", "is_pinned", "is_stage"] {
                fields.set_unknown(name);
            }
            return fields;
        };
        let is_stage = self.stage(text).is_some();
        let image = ImageName::parse(text);
        fields.set("image", image.name);
        fields.set("tag", image.tag);
        fields.set("digest", image.digest);
        fields.set("is_stage", is_stage);
        // `scratch` is empty, and a stage is of this file.
        fields.set("is_pinned", is_stage || text == "scratch" || image.is_pinned());
        fields
    }

    fn stage(&self, name: &str) -> Option<&Made> {
        self.names.get(&name.to_ascii_lowercase()).map(|number| &self.stages[*number])
    }
}

/// Returns the images that an instruction takes files from.
fn other_images(instruction: &Instruction<'_>) -> Vec<(String, Range<usize>)> {
    match instruction {
        Instruction::Copy(copy) => {
            let from = copy.options.iter().filter(|option| option.name.value == "from");
            from.filter_map(|option| {
                let image = option.value.as_ref()?;
                Some((image.value.to_string(), image.span.clone()))
            })
            .collect()
        }
        Instruction::Run(run) => {
            let mounts = run.options.iter().filter(|option| option.name.value == "mount");
            mounts
                .filter_map(|option| {
                    let mount = option.value.as_ref()?;
                    let from = mount.value.split(',').find_map(|it| it.strip_prefix("from="))?;
                    Some((from.to_owned(), mount.span.clone()))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn flag<'a>(options: &'a [Flag<'_>], name: &str) -> Option<&'a str> {
    let option = options.iter().find(|option| option.name.value == name)?;
    option.value.as_ref().map(|value| value.value.as_ref())
}

fn is_remote(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    ["http://", "https://", "git@", "git://", "ssh://"]
        .iter()
        .any(|start| source.starts_with(start))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use crate::{Evidence, Record, Texts, read_application};

    fn read(text: &str) -> Evidence {
        let files: Texts = [("Dockerfile", text)].into_iter().collect();
        read_application(&files)
    }

    #[track_caller]
    fn dockerfile(text: &str) -> Record {
        let mut evidence = read(text);
        assert_eq!(evidence.unreadable, []);
        evidence.records.pop().unwrap()
    }

    #[test]
    fn images() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let text = format!(
            "# escape=`\nARG TAG=1.95 BASE=rust\nARG OPEN\nFROM --platform=linux/amd64 `\n  ${{BASE}}:$TAG-alpine AS Build\n\
             RUN --mount=type=bind,from=tools:1,target=/t <<END\nFROM nothing\nEND\nCOPY --from=nginx@{digest} /a /a\n\
             FROM $OPEN\nFROM build\nCOPY --from=0 /a /b\nCOPY --from=BUILD /a /c\nFROM scratch\n"
        );
        let evidence = read(&text);
        let summary: Vec<String> = evidence
            .records
            .iter()
            .map(|record| {
                let place = record.place.as_ref().unwrap();
                let is_unknown = record.unknown != json!(null);
                let values = &record.values;
                format!(
                    "{}:{}-{}:{} {} {}:{} {} {}",
                    place.line,
                    place.column,
                    place.end_line,
                    place.end_column,
                    record.address.trim_start_matches("Dockerfile:"),
                    values["image"],
                    values["tag"],
                    values["is_pinned"],
                    if is_unknown { "unknown" } else { "" }
                )
            })
            .collect();
        assert_snapshot!(summary.join("\n").replace(" \n", "\n"), @r#"
        5:3-5:22 stage[0] "rust":"1.95-alpine" false
        6:13-6:45 stage[0].from[0] "tools":"1" false
        9:13-9:90 stage[0].from[1] "nginx":null true
        10:6-10:11 stage[1] null:null null unknown
        11:6-11:11 stage[2] "build":null true
        14:6-14:13 stage[3] "scratch":null true
        14:1-14:5 dockerfile null:null null
        "#);
        assert_eq!(evidence.records[0].values["stage"], "Build");
        assert_eq!(evidence.records[0].values["platform"], "linux/amd64");
        assert_eq!(evidence.records[2].values["digest"], digest);
        assert_eq!(evidence.records[4].values["is_stage"], true);
    }

    #[test]
    fn whom_it_runs_as() {
        #[track_caller]
        fn check(text: &str, user: Option<&str>, line: usize) {
            let record = dockerfile(text);
            assert_eq!(record.values["user"], json!(user));
            assert_eq!(record.place.unwrap().line, line);
        }
        check("FROM a\nUSER root\nUSER 65532:65532\n", Some("65532:65532"), 3);
        check("FROM a\nUSER 1\nFROM b\n", None, 3);
        check("FROM a AS base\nUSER 1\nFROM base\n", Some("1"), 2);
        check("ARG U=7\nFROM a\nARG U\nENV HOME_OF=$U\nUSER $HOME_OF\n", Some("7"), 5);
        check("FROM a AS base\nENV U 8\nFROM base\nUSER ${U}\n", Some("8"), 4);
        let unknown = dockerfile("FROM a\nARG U\nUSER $U\n");
        assert_eq!(unknown.unknown, json!({"user": true}));
    }

    #[test]
    fn what_it_has_and_adds() {
        let values =
            dockerfile("FROM a\nHEALTHCHECK CMD true\nADD https://example.com/a /a\n").values;
        assert_eq!(
            values,
            json!({"stages": 1, "user": null, "has_healthcheck": true, "adds_remote": true})
        );
        let text = "FROM a\nHEALTHCHECK CMD true\nHEALTHCHECK NONE\nADD a b /c/\nADD --checksum=sha256:aa https://example.com/a /a\n";
        let values = dockerfile(text).values;
        assert_eq!(
            (&values["has_healthcheck"], &values["adds_remote"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(
            dockerfile("FROM a\nADD [\"git@example.com:a.git\", \"/a\"]\n").values["adds_remote"],
            true
        );
    }

    #[test]
    fn lines_of_windows_and_a_byte_order_mark() {
        let evidence =
            read("\u{feff}FROM alpine:3 AS a\r\nRUN x \\\r\n  y\r\nFROM a\r\nUSER 7\r\n");
        let [first, second, dockerfile] = &evidence.records[..] else { panic!("three records") };
        assert_eq!((&first.values["tag"], &first.values["stage"]), (&json!("3"), &json!("a")));
        assert_eq!(second.values["is_stage"], true);
        assert_eq!(dockerfile.values["user"], "7");
        let place = dockerfile.place.as_ref().unwrap();
        assert_eq!((place.line, place.column, place.end_column), (5, 6, 7));
    }

    #[test]
    fn what_is_no_dockerfile() {
        let told = |text| {
            read(text).unreadable.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(told("FROM a\nFRMO b\n"), @"Dockerfile:2:1: this is no Dockerfile: unknown instruction 'FRMO'");
        assert_snapshot!(told("# nothing\n"), @"Dockerfile:1:1: this is no Dockerfile: expected at least one FROM instruction");
        assert_snapshot!(told("FROM a\nRUN <<E\nx\n"), @"Dockerfile:4:1: this is no Dockerfile: expected end of here-document (E), but reached eof");
        assert_snapshot!(told(&format!("FROM a\n{}", "FROM a\n".repeat(10_000))), @"Dockerfile:1:1: there are more than 10000 instructions");
    }
}
