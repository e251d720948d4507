//! The tags of an XML packet with their namespaces, and where they stand in it: as much of XML as changing XMP in place takes.

use std::ops::Range;

/// A name with the namespace that its prefix stands for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Name {
    pub namespace: String,
    pub local: String,
}

/// An attribute.
#[derive(Debug)]
pub struct Attribute {
    pub name: Name,
    /// From the white space before it to its last quotation mark.
    pub whole: Range<usize>,
    pub value: Range<usize>,
}

/// What a packet consists of, but for text.
#[derive(Debug)]
pub enum Tag {
    Start { name: Name, attributes: Vec<Attribute>, whole: Range<usize>, is_empty: bool },
    End { whole: Range<usize> },
}

impl Tag {
    /// Where it stands in the text.
    pub fn place(&self) -> Range<usize> {
        match self {
            Self::Start { whole, .. } | Self::End { whole } => whole.clone(),
        }
    }
}

/// The namespace of attributes that declare one.
pub const DECLARATION: &str = "http://www.w3.org/2000/xmlns/";

/// Most tags of a packet, and most namespaces in one place; packets with more are not read.
const MOST_TAGS: usize = 1 << 18;
const MOST_NAMESPACES: usize = 1 << 8;

/// All tags, in order; `None` for text that is not well-formed, or not in UTF-8 or another encoding that contains ASCII.
pub fn tags(text: &[u8]) -> Option<Vec<Tag>> {
    let mut scan = Scan { text, at: 0, declared: Vec::new(), open: Vec::new() };
    let mut tags = Vec::new();
    while let Some(tag) = scan.next()? {
        tags.push(tag);
        if tags.len() > MOST_TAGS || scan.declared.len() > MOST_NAMESPACES {
            return None;
        }
    }
    scan.open.is_empty().then_some(tags)
}

/// For each tag that begins an element the place of the one that ends it, in the list of tags.
pub fn ends(tags: &[Tag]) -> Vec<usize> {
    let (mut ends, mut open): (Vec<usize>, _) = ((0..tags.len()).collect(), Vec::new());
    for (index, tag) in tags.iter().enumerate() {
        match tag {
            Tag::Start { is_empty: false, .. } => open.push(index),
            Tag::Start { .. } => {}
            Tag::End { .. } => open.pop().into_iter().for_each(|start| ends[start] = index),
        }
    }
    ends
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Prefixes and what they stand for; the last one counts.
    declared: Vec<(Vec<u8>, String)>,
    /// For each element that is open: its name as written, and how many prefixes were declared before.
    open: Vec<(Vec<u8>, usize)>,
}

impl Scan<'_> {
    /// Skips what comes before `part`, and itself.
    fn skip_past(&mut self, part: &[u8]) -> Option<()> {
        let rest = &self.text[self.at..];
        self.at += rest.windows(part.len()).position(|window| window == part)? + part.len();
        Some(())
    }

    fn skip_space(&mut self) {
        let space = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += space.count();
    }

    /// Characters up to one that cannot be part of a name.
    fn word(&mut self) -> Option<Vec<u8>> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"<>/='\"".contains(byte);
        let word: Vec<u8> = self.text[self.at..].iter().copied().take_while(|byte| !ends(byte)).collect();
        self.at += word.len();
        (!word.is_empty()).then_some(word)
    }

    /// Outer `None` for broken text, inner `None` at its end.
    #[allow(clippy::option_option, reason = "the end of the text is not an error")]
    fn next(&mut self) -> Option<Option<Tag>> {
        loop {
            let Some(before) = self.text[self.at..].iter().position(|&byte| byte == b'<') else {
                return Some(None);
            };
            self.at += before;
            let start = self.at;
            let rest = &self.text[start..];
            if rest.starts_with(b"<!--") {
                self.skip_past(b"-->")?;
            } else if rest.starts_with(b"<![CDATA[") {
                self.skip_past(b"]]>")?;
            } else if rest.starts_with(b"<?") {
                self.skip_past(b"?>")?;
            } else if rest.starts_with(b"<!") {
                // Entities could hide anything.
                return None;
            } else if rest.starts_with(b"</") {
                self.at += 2;
                let (name, declared) = self.open.pop()?;
                (self.word()? == name).then_some(())?;
                self.skip_past(b">")?;
                self.declared.truncate(declared);
                return Some(Some(Tag::End { whole: start..self.at }));
            } else {
                self.at += 1;
                return self.start(start).map(Some);
            }
        }
    }

    fn start(&mut self, start: usize) -> Option<Tag> {
        let name = self.word()?;
        let declared = self.declared.len();
        let mut written = Vec::new();
        let is_empty = loop {
            let from = self.at;
            self.skip_space();
            match self.text.get(self.at)? {
                b'>' => break false,
                b'/' if self.text.get(self.at + 1) == Some(&b'>') => {
                    self.at += 1;
                    break true;
                }
                _ => {}
            }
            let attribute = self.word()?;
            self.skip_space();
            (self.text.get(self.at) == Some(&b'=')).then_some(())?;
            self.at += 1;
            self.skip_space();
            let quote = *self.text.get(self.at).filter(|byte| b"'\"".contains(byte))?;
            let first = self.at + 1;
            self.at = first;
            self.skip_past(&[quote])?;
            let value = first..self.at - 1;
            let prefix = match attribute.strip_prefix(b"xmlns") {
                Some([]) => Some(Vec::new()),
                Some([b':', prefix @ ..]) => Some(prefix.to_vec()),
                _ => None,
            };
            if let Some(prefix) = prefix {
                let namespace = String::from_utf8_lossy(&self.text[value.clone()]).into_owned();
                self.declared.push((prefix, namespace));
            }
            written.push((attribute, from..self.at, value));
        };
        self.at += 1;
        let named =
            |(name, whole, value): (Vec<u8>, _, _)| Attribute { name: self.name(&name, true), whole, value };
        let attributes = written.into_iter().map(named).collect();
        let tag = Tag::Start { name: self.name(&name, false), attributes, whole: start..self.at, is_empty };
        match is_empty {
            true => self.declared.truncate(declared),
            false => self.open.push((name, declared)),
        }
        Some(tag)
    }

    /// Attributes without a prefix are in no namespace.
    fn name(&self, written: &[u8], is_attribute: bool) -> Name {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let colon = written.iter().position(|&byte| byte == b':');
        let (prefix, local) = colon.map_or((&[][..], written), |at| (&written[..at], &written[at + 1..]));
        if is_attribute && prefix == b"xmlns" {
            return Name { namespace: DECLARATION.into(), local: text(local) };
        }
        let known = self.declared.iter().rev().find(|(declared, _)| declared == prefix);
        let known = known.filter(|_| !(is_attribute && prefix.is_empty()));
        let namespace = known.map(|(_, namespace)| namespace.clone()).unwrap_or_default();
        Name { namespace, local: text(local) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_namespaces_of_their_place() {
        let text =
            b"<?x ?><a xmlns='one' p='1'><!-- <b> --><q:b xmlns:q = \"two\" q:c='>'/><b/></a ><![CDATA[<]]>";
        let found = tags(text).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|tag| match tag {
                Tag::Start { name, .. } => format!("{} {}", name.namespace, name.local),
                Tag::End { whole } => String::from_utf8_lossy(&text[whole.clone()]).into_owned(),
            })
            .collect();
        assert_eq!(names, ["one a", "two b", "one b", "</a >"]);
        let Tag::Start { attributes, is_empty: true, .. } = &found[1] else { panic!("{found:?}") };
        assert_eq!(attributes[0].name, Name { namespace: DECLARATION.into(), local: "q".into() });
        assert_eq!(attributes[1].name, Name { namespace: "two".into(), local: "c".into() });
        assert_eq!(&text[attributes[1].value.clone()], b">");
        assert_eq!(&text[attributes[1].whole.clone()], b" q:c='>'");
        assert_eq!(ends(&found), [3, 1, 2, 3]);
        for broken in ["<a>", "</a>", "<a></b>", "<a b=c/>", "<a b='c/>", "<a", "<!DOCTYPE a>", "<>"] {
            assert!(tags(broken.as_bytes()).is_none(), "{broken}");
        }
        for len in 0..text.len() {
            // Only that it returns.
            let _ = tags(&text[..len]);
        }
    }
}
