//! The command line that shows what the screen shows.

use crate::broker::{Bound, TopicSelector};
use crate::tui::model::{Model, View};
use crate::tui::msg::From;

/// The command line of the view on the screen.
pub fn line(model: &Model) -> String {
    let mut words = vec!["evtap".to_owned()];
    match model.view {
        View::Topics => {
            words.push("topics".to_owned());
            words.extend(model.source.connections.iter().map(|c| quote(&c.shown)));
            return words.join(" ");
        }
        View::Lag => {
            words.push("lag".to_owned());
            words.extend(model.source.connections.iter().map(|c| quote(&c.shown)));
            return words.join(" ");
        }
        _ => {}
    }
    words.push("open".to_owned());
    words.extend(sources(model));
    match &model.source.from {
        From::Bound(bound) => {
            if let Some(text) = bound_text(bound) {
                words.extend(["--from".to_owned(), quote(&text)]);
            }
        }
        From::Around { position, .. } => {
            words.extend(["--from".to_owned(), position.major.to_string()]);
        }
    }
    if let Some(until) = bound_text(&model.source.until).filter(|_| !model.source.follow) {
        words.extend(["--until".to_owned(), quote(&until)]);
    }
    for partition in &model.options.partitions {
        words.extend(["-p".to_owned(), partition.to_string()]);
    }
    words.extend(model.options.select_words.iter().cloned());
    if let Some(filter) = model.feed.filter() {
        words.extend(["--filter".to_owned(), quote(&filter.text)]);
    }
    words.join(" ")
}

/// The sources with the topics that were chosen on the screen.
pub fn sources(model: &Model) -> Vec<String> {
    let source = &model.source;
    let name = |(index, c): (usize, &std::sync::Arc<crate::tui::connect::Connection>)| {
        let chosen = source.topics.as_ref().and_then(|t| t.get(index)?.as_ref());
        quote(&with_topics(&c.shown, chosen))
    };
    source.connections.iter().enumerate().map(name).collect()
}

fn with_topics(shown: &str, topics: Option<&TopicSelector>) -> String {
    let Some(topics) = topics else {
        return shown.to_owned();
    };
    if shown.starts_with("demo:") {
        return format!("demo:{topics}");
    }
    match shown.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or(rest);
            format!("{scheme}://{host}/{topics}")
        }
        None => format!("{}/{topics}", shown.split('/').next().unwrap_or(shown)),
    }
}

fn bound_text(bound: &Bound) -> Option<String> {
    Some(match bound {
        Bound::Start => "start".to_owned(),
        Bound::End => return None,
        Bound::At(position) => position.major.to_string(),
        Bound::Last(n) => format!("-{n}"),
        Bound::Time(time) => time.to_string(),
        Bound::Group(group) => format!("stored:{group}"),
    })
}

/// A word for a POSIX shell.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quote("kafka://h:9092/orders"), "kafka://h:9092/orders");
        assert_eq!(quote(".value.a == \"it's\""), "'.value.a == \"it'\\''s\"'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn topics_that_were_chosen_stand_in_the_address() {
        let topics = TopicSelector::one("orders");
        assert_eq!(with_topics("demo:", Some(&topics)), "demo:orders");
        assert_eq!(
            with_topics("kafka://a:1,b:2/x", Some(&topics)),
            "kafka://a:1,b:2/orders"
        );
        assert_eq!(with_topics("prod", Some(&topics)), "prod/orders");
    }
}
