//! The parts of the repository's README that come from the report.

use std::path::Path;
use std::{fs, io};

use super::data::Report;
use super::markdown::{readme_bytes, readme_speed};

/// The name of a part, and what makes it.
type Part = (&'static str, fn(&Report) -> String);

const PARTS: [Part; 2] = [("bytes", readme_bytes), ("speed", readme_speed)];

/// Writes the parts anew into a README.
///
/// # Errors
///
/// If it cannot be read or written, or lacks the marks of a part.
pub fn update(path: &Path, report: &Report) -> io::Result<()> {
    let readme = fs::read_to_string(path)?;
    let updated = with_parts(&readme, report).map_err(io::Error::other)?;
    fs::write(path, updated)
}

/// The README with the parts of this report.
fn with_parts(readme: &str, report: &Report) -> Result<String, String> {
    let mut readme = readme.to_owned();
    for (name, make) in PARTS {
        let (begin, end) = (format!("<!-- report: {name} -->\n"), "\n<!-- end of report -->");
        let start = readme.find(&begin).ok_or(format!("no `{}` in the README", begin.trim()))?;
        let start = start + begin.len();
        let length = readme[start..].find(end).ok_or(format!("no `{}` after it", end.trim()))?;
        readme.replace_range(start..start + length, make(report).trim());
    }
    Ok(readme)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot;
    use crate::report::{markdown, targets};

    fn committed() -> Report {
        serde_json::from_str(include_str!("../../report.json")).unwrap()
    }

    fn file(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    #[test]
    fn the_readme_quotes_the_committed_report() {
        let readme = file("../README.md");
        assert_eq!(with_parts(&readme, &committed()).unwrap(), readme);
    }

    #[test]
    fn the_committed_text_and_plots_are_those_of_the_committed_report() {
        let report = committed();
        assert!(!report.quick);
        assert_eq!(report.targets, targets::targets(&report));
        assert_eq!(markdown::render(&report), file("REPORT.md"));
        for plot in plot::all(&report) {
            assert_eq!(plot.svg, file(&format!("plots/{}", plot.file_name)), "{}", plot.file_name);
        }
    }

    #[test]
    fn a_readme_without_the_marks_is_left_alone() {
        assert!(with_parts("# Trellis\n", &committed()).is_err());
    }
}
