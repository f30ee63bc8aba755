//! `evtap themes`: the themes of the screens, and their files to copy.

use clap::Args;
use serde_json::{Value, json};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::print::{print_json, print_lines, print_table};
use super::session::Session;
use super::topics::Report;
use crate::output::{Align, Table};
use crate::tui::theme::{Catalog, Listed};

/// List the themes of the screens, or print one
#[derive(Debug, Args)]
#[command(after_help = examples::THEMES)]
pub struct Themes {
    /// Print this theme's file, to be copied and changed
    #[arg(value_name = "NAME", conflicts_with = "output")]
    pub name: Option<String>,
    /// How to print the list
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub fn run(session: &Session, args: &Themes) -> Result<Exit> {
    let catalog = session.themes();
    if let Some(name) = &args.name {
        let (_, text) = catalog.load(name)?;
        return print_lines(text.lines().map(str::to_owned));
    }
    let rows = catalog
        .list()?
        .into_iter()
        .map(|listed| Row::new(&catalog, listed, session.theme_name()))
        .collect::<Vec<Row>>();
    if args.output == Report::Json {
        let rows: Vec<Value> = rows.iter().map(Row::as_json).collect();
        return print_json(&json!({ "themes": rows }));
    }
    let mut table = Table::new(&[
        ("", Align::Left),
        ("THEME", Align::Left),
        ("FROM", Align::Left),
        ("ABOUT", Align::Left),
    ]);
    for row in &rows {
        let used = if row.used { "*" } else { "" };
        let about = row.fault.as_ref().map_or(&row.about, |f| &f.message);
        table.row([used, &row.listed.name, &row.from(), about]);
    }
    print_table(session, &table)?;
    tell_what_is_wrong(session, &rows);
    Ok(Exit::Done)
}

/// The theme that the config names may not be there; the list is then what helps.
fn tell_what_is_wrong(session: &Session, rows: &[Row]) {
    if !rows.iter().any(|row| row.used) {
        let name = session.theme_name();
        session.say(&format!(
            "warning: the config names an unknown theme '{name}'"
        ));
    }
    for row in rows {
        if let Some(hint) = row.fault.as_ref().and_then(|fault| fault.hint.as_ref()) {
            session.say(&format!("hint: {}: {hint}", row.listed.name));
        }
    }
}

/// A theme of the list.
struct Row {
    listed: Listed,
    used: bool,
    about: String,
    /// Why its file cannot be used.
    fault: Option<Failure>,
}

impl Row {
    fn new(catalog: &Catalog, listed: Listed, used: &str) -> Self {
        let (about, fault) = match catalog.load(&listed.name) {
            Ok((theme, _)) => (theme.about, None),
            Err(error) => (String::new(), Some(Failure::from(error))),
        };
        Self {
            used: listed.name == used,
            listed,
            about,
            fault,
        }
    }

    fn from(&self) -> String {
        match &self.listed.file {
            Some(path) => path.display().to_string(),
            None => "built in".to_owned(),
        }
    }

    fn as_json(&self) -> Value {
        json!({
            "theme": self.listed.name,
            "file": self.listed.file.as_ref().map(|path| path.display().to_string()),
            "used": self.used,
            "about": self.about,
            "error": self.fault.as_ref().map(|fault| &fault.message),
        })
    }
}
