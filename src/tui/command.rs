//! The command line that shows what the screen shows.

use crate::broker::{Bound, TopicSelector};
use crate::replay::quoted;
use crate::tui::model::{Model, View};
use crate::tui::msg::From;

/// The command line of the view on the screen.
pub fn line(model: &Model) -> String {
    let mut words = vec!["evtap".to_owned()];
    match model.view {
        View::Topics => {
            words.push("topics".to_owned());
            words.extend(model.source.connections.iter().map(|c| quoted(&c.shown)));
            return words.join(" ");
        }
        View::Lag => {
            words.push("lag".to_owned());
            words.extend(model.source.connections.iter().map(|c| quoted(&c.shown)));
            return words.join(" ");
        }
        _ => {}
    }
    words.push("open".to_owned());
    words.extend(sources(model));
    match &model.source.from {
        From::Bound(bound) => {
            if let Some(text) = bound_text(bound) {
                words.extend(["--from".to_owned(), quoted(&text)]);
            }
        }
        From::Around { position, .. } => {
            words.extend(["--from".to_owned(), position.major.to_string()]);
        }
    }
    if let Some(until) = bound_text(&model.source.until).filter(|_| !model.source.follow) {
        words.extend(["--until".to_owned(), quoted(&until)]);
    }
    for partition in &model.options.partitions {
        words.extend(["-p".to_owned(), partition.to_string()]);
    }
    for (flag, value) in model.options.selection.flags() {
        words.push(flag.to_owned());
        words.extend(value.as_deref().map(quoted));
    }
    if let Some(filter) = model.feed.filter() {
        words.extend(["--filter".to_owned(), quoted(&filter.text)]);
    }
    words.join(" ")
}

/// The sources with the topics that were chosen on the screen.
pub fn sources(model: &Model) -> Vec<String> {
    let source = &model.source;
    let name = |(index, c): (usize, &std::sync::Arc<crate::tui::connect::Connection>)| {
        let chosen = source.topics.as_ref().and_then(|t| t.get(index)?.as_ref());
        quoted(&with_topics(&c.shown, chosen))
    };
    source.connections.iter().enumerate().map(name).collect()
}

pub fn with_topics(shown: &str, topics: Option<&TopicSelector>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
