//! The report as `JUnit` XML, as CI servers read it: a test case for each kind of finding and each
//! check, failed where something was found, skipped where there was nothing to work with.

use std::fmt::Write as _;
use std::time::Duration;

use crate::inspect::Verdict;
use crate::inspect::check::CheckReport;
use crate::inspect::findings::{Code, Finding};
use crate::output::Xml;

/// The document. `name` is what was checked, `took` how long it took.
pub fn junit(report: &CheckReport, name: &str, took: Duration) -> String {
    let mut codes: Vec<Code> = Vec::new();
    for finding in &report.findings.findings {
        if !codes.contains(&finding.code) {
            codes.push(finding.code);
        }
    }
    let quiet = report
        .findings
        .checks
        .iter()
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Violation));
    let skipped = quiet
        .clone()
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Clean))
        .count();
    let tests = codes.len() + quiet.clone().count();
    let seconds = took.as_secs_f64();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into memory does not fail.
    let written = writeln!(
        out,
        "<testsuites><testsuite name=\"evtap check {}\" tests=\"{tests}\" failures=\"{}\" \
         skipped=\"{skipped}\" errors=\"0\" time=\"{seconds:.3}\">",
        Xml(name),
        codes.len(),
    );
    debug_assert!(written.is_ok());
    for code in codes {
        let found = report.findings.findings.iter();
        failed(&mut out, code, found.filter(|f| f.code == code));
    }
    for (check, verdict) in quiet {
        let case = format!(
            "  <testcase classname=\"evtap.check\" name=\"{}\"",
            Xml(check)
        );
        out.push_str(&case);
        match verdict {
            Verdict::Clean | Verdict::Violation => out.push_str("/>\n"),
            Verdict::Inconclusive(why) | Verdict::Idle(why) => {
                let skipped = format!("><skipped message=\"{}\"/></testcase>\n", Xml(why));
                out.push_str(&skipped);
            }
        }
    }
    out.push_str("</testsuite></testsuites>\n");
    out
}

fn failed<'a>(out: &mut String, code: Code, findings: impl Iterator<Item = &'a Finding>) {
    let lines: Vec<String> = findings
        .map(|finding| {
            let key = finding.key.as_deref().map(String::from_utf8_lossy);
            let key = key.map_or_else(String::new, |key| format!(" {key}"));
            format!("{}{key}: {}", finding.at, finding.message)
        })
        .collect();
    let case = format!(
        "  <testcase classname=\"evtap.check\" name=\"{code}\"><failure type=\"{code}\" \
         message=\"{} found\">{}</failure></testcase>\n",
        lines.len(),
        Xml(&lines.join("\n"))
    );
    out.push_str(&case);
}
