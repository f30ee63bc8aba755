//! The files that a Protobuf file imports.

use super::{Gathered, Shelf};
use crate::schema::sources::uri;
use crate::schema::{Reference, SchemaError};

/// The imported files and what they import, under the paths that the imports name; those that
/// others build on come first. An import is looked for from the shelf's root, then beside the file
/// that has it. What the shelf does not have is left out: it may be one of Google's own.
pub(in crate::schema::sources) fn references(
    root: &str,
    root_path: &str,
    shelf: &dyn Shelf,
) -> Result<Vec<Reference>, SchemaError> {
    let mut gathered = Gathered::default();
    let mut waiting = steps(root, root_path);
    while let Some(step) = waiting.pop() {
        match step {
            Step::Give(name, text) => gathered.push(name, text)?,
            Step::Find { import, beside } => {
                if !gathered.is_new(&import) {
                    continue;
                }
                let near = uri::join(&beside, &import);
                let found = [uri::join("", &import), near]
                    .into_iter()
                    .filter(|path| path != root_path)
                    .find_map(|path| Some((shelf.at(&path)?, path)));
                if let Some((text, path)) = found {
                    let text = text?;
                    let inner = steps(&text, &path);
                    waiting.push(Step::Give(import, text));
                    waiting.extend(inner);
                }
            }
        }
        if waiting.len() > super::MOST_BYTES / 64 {
            return Err(SchemaError("it has too many imports".to_owned()));
        }
    }
    Ok(gathered.into_list())
}

enum Step {
    Find { import: String, beside: String },
    Give(String, String),
}

fn steps(text: &str, path: &str) -> Vec<Step> {
    let found = imports(text).into_iter().rev();
    found
        .map(|import| Step::Find {
            import,
            beside: path.to_owned(),
        })
        .collect()
}

/// The paths of `import "…";`, with `public` and `weak` ones, in the order of the file.
pub(in crate::schema::sources) fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at_start = true;
    let mut importing = false;
    let mut rest = text;
    while let Some(token) = next(&mut rest) {
        match token {
            Token::Word("import") if at_start => importing = true,
            Token::Word("public" | "weak") if importing => {}
            Token::Text(path) if importing => {
                found.push(path.to_owned());
                importing = false;
            }
            _ => importing = false,
        }
        at_start = matches!(token, Token::Mark(';' | '}'));
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Mark(char),
}

/// Takes one token off the front; comments and white space are passed over.
fn next<'a>(rest: &mut &'a str) -> Option<Token<'a>> {
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("//") {
            *rest = after.find('\n').map_or("", |end| &after[end..]);
        } else if let Some(after) = rest.strip_prefix("/*") {
            *rest = after.find("*/").map_or("", |end| &after[end + 2..]);
        } else {
            break;
        }
    }
    let first = rest.chars().next()?;
    if first == '"' || first == '\'' {
        let body = &rest[1..];
        let mut escaped = false;
        let end = body.find(|c: char| {
            let ends = c == first && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let text = end.map_or(body, |end| &body[..end]);
        *rest = end.map_or("", |end| &body[end + 1..]);
        return Some(Token::Text(text));
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    if is_word(first) {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        *rest = after;
        return Some(Token::Word(word));
    }
    *rest = &rest[first.len_utf8()..];
    Some(Token::Mark(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        syntax = "proto3"; // import "no.proto";
        import "a/b.proto";
        import public 'c.proto' ;
        /* import "no.proto"; */
        message M { string import = 1; string x = 2 [default = "import \"no.proto\";"]; }
        import weak "d.proto";"#;

    #[test]
    fn imports_are_found_and_nothing_else() {
        assert_eq!(imports(FILE), ["a/b.proto", "c.proto", "d.proto"]);
        assert!(imports("import").is_empty());
        assert!(imports("import \"").iter().all(String::is_empty));
        assert!(imports("/* import \"x\";").is_empty());
    }

    struct Files;

    impl Shelf for Files {
        fn at(&self, path: &str) -> Option<Result<String, SchemaError>> {
            let text = match path {
                "a/b.proto" => "import \"beside.proto\"; import \"c.proto\";",
                "a/beside.proto" => "import \"a/b.proto\";",
                "c.proto" => "import \"google/protobuf/any.proto\";",
                _ => return None,
            };
            Some(Ok(text.to_owned()))
        }

        fn named(&self, _: &str) -> Option<(String, String)> {
            None
        }
    }

    #[test]
    fn what_others_build_on_comes_first() {
        let found = references(FILE, "orders.proto", &Files).unwrap();
        let names: Vec<_> = found.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["beside.proto", "c.proto", "a/b.proto"]);
    }
}
