//! A YAML document as written: every node with its place, nothing interpreted yet.
//!
//! Why not derive `Deserialize`: the file also holds sections of other programs, which must pass
//! whatever is in them, while serde resolves every scalar that it skips (an explicit `!!timestamp`
//! in the training section would fail the run). And our own scalars must be judged by their
//! spelling, because users wrote them for PyYAML, which reads YAML 1.1. So this takes the parser's
//! events, keeps the text, and leaves the meaning to [`super::scalar`] and [`super::read`].

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, Tag};
use std::collections::{HashMap, HashSet};

/// Where something stands in the file, both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Marker> for Position {
    fn from(marker: Marker) -> Position {
        Position { line: marker.line(), column: marker.col() + 1 }
    }
}

/// Index into [`Document::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(usize);

/// What a node is, before anything is made of its text.
#[derive(Debug)]
pub(super) enum Content {
    Scalar { text: String, form: ScalarForm },
    List(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

/// How a scalar was written, which decides whether it may be a number, a bool or null.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ScalarForm {
    /// Without quotes: may be anything.
    Plain,
    /// In quotes, as a block, or tagged `!!str`: text and nothing else.
    Text,
    /// With a tag of some application, such as `!env`; kept as written.
    Tagged(String),
}

#[derive(Debug)]
struct Node {
    position: Position,
    content: Content,
}

/// One parsed document. A tree, except that aliases lead back into it.
#[derive(Debug)]
pub(super) struct Document {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

/// One key of a mapping, merge keys (`<<`) already followed.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// `None` for a key that is itself a list or a mapping.
    pub(super) key: Option<&'a str>,
    pub(super) key_position: Position,
    pub(super) value: NodeId,
}

/// Not YAML, or not one document.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) position: Position,
    pub(super) reason: String,
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> SyntaxError {
        SyntaxError { position: (*error.marker()).into(), reason: in_words(error.info()) }
    }
}

/// The parser's word for the slip that new users make most, in words of an editor.
fn in_words(reason: String) -> String {
    match reason.contains("tabs disallowed") {
        true => "a tab in the indentation, use spaces there".to_owned(),
        false => reason,
    }
}

impl Document {
    /// Parses `text`. An empty file is a document without a root.
    ///
    /// # Errors
    /// If the text is not YAML, holds a second document, uses an anchor that is not defined, or
    /// nests deeper than the parser's limit (255).
    pub(super) fn parse(text: &str) -> Result<Document, SyntaxError> {
        let mut options = Options::default();
        // Emitted comments would count against a limit of 96 in a row.
        options.set_emit_comments(false);
        let mut builder = Builder::default();
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event?;
            builder.take(event, span.start.into())?;
        }
        Ok(Document { nodes: builder.nodes, root: builder.root })
    }

    pub(super) fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Where the node stands; for an alias, where the alias stands.
    pub(super) fn position(&self, id: NodeId) -> Position {
        self.nodes[id.0].position
    }

    /// What the node holds, an alias followed: never [`Content::Alias`].
    pub(super) fn content(&self, id: NodeId) -> &Content {
        &self.nodes[self.resolve(id).0].content
    }

    fn resolve(&self, id: NodeId) -> NodeId {
        match self.nodes[id.0].content {
            // An alias cannot carry an anchor, so one step is enough.
            Content::Alias(target) => target,
            _ => id,
        }
    }

    /// Whether the node is empty, `~` or a plain `null`.
    pub(super) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.content(id), Content::Scalar { text, form: ScalarForm::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The keys of a mapping in the order written, doubled ones included, then the keys that
    /// merges (`<<: *base`) add to them. `None` if the node is not a mapping.
    pub(super) fn entries(&self, mapping: NodeId) -> Option<Vec<Entry<'_>>> {
        let Content::Mapping(_) = self.content(mapping) else { return None };
        let mut entries: Vec<Entry<'_>> = Vec::new();
        // A mapping can merge itself, or merge twice one that merges another twice, and so on in
        // powers of two. The first to give a key wins, so a second visit could add nothing.
        let mut visited = HashSet::new();
        let mut to_visit = vec![mapping];
        while let Some(source) = to_visit.pop() {
            if !visited.insert(self.resolve(source)) {
                continue;
            }
            match self.content(source) {
                Content::Mapping(pairs) => {
                    let (merges, mut own) = self.split_merges(pairs);
                    own.retain(|new| entries.iter().all(|earlier| earlier.key != new.key));
                    entries.append(&mut own);
                    // Of two `<<` keys PyYAML obeys the later, of a list of sources the earlier.
                    to_visit.extend(merges);
                }
                Content::List(sources) => to_visit.extend(sources.iter().rev()),
                Content::Scalar { .. } | Content::Alias(_) => {}
            }
        }
        Some(entries)
    }

    /// What the mapping merges, and its other entries.
    fn split_merges<'a>(&'a self, pairs: &[(NodeId, NodeId)]) -> (Vec<NodeId>, Vec<Entry<'a>>) {
        let (mut merges, mut entries) = (Vec::new(), Vec::new());
        for &(key, value) in pairs {
            let text = match self.content(key) {
                Content::Scalar { text, .. } => Some(text.as_str()),
                _ => None,
            };
            // `<<: 5` is no merge; it stays a key, which our sections refuse as unknown.
            if text == Some("<<") && self.can_be_merged(value) {
                merges.push(value);
            } else {
                entries.push(Entry { key: text, key_position: self.position(key), value });
            }
        }
        (merges, entries)
    }

    fn can_be_merged(&self, value: NodeId) -> bool {
        let is_mapping = |id: NodeId| matches!(self.content(id), Content::Mapping(_));
        match self.content(value) {
            Content::List(sources) => sources.iter().all(|&source| is_mapping(source)),
            _ => is_mapping(value),
        }
    }
}

/// Collections that are still open, and what is known of them.
#[derive(Debug)]
enum Open {
    List { id: NodeId, items: Vec<NodeId> },
    Mapping { id: NodeId, key: Option<NodeId>, pairs: Vec<(NodeId, NodeId)> },
}

#[derive(Debug, Default)]
struct Builder {
    nodes: Vec<Node>,
    anchors: HashMap<usize, NodeId>,
    open: Vec<Open>,
    documents: usize,
    root: Option<NodeId>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, position: Position) -> Result<(), SyntaxError> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let reason = "a second document starts here, one is expected".to_owned();
                    return Err(SyntaxError { position, reason });
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let form = ScalarForm::of(style, tag.as_deref());
                let content = Content::Scalar { text: text.into_owned(), form };
                let id = self.push(position, content, anchor);
                self.place(id);
            }
            Event::Alias(anchor) => {
                // The parser itself refuses an alias without an anchor.
                let Some(&target) = self.anchors.get(&anchor) else { return Ok(()) };
                let id = self.push(position, Content::Alias(target), 0);
                self.place(id);
            }
            Event::SequenceStart(_, anchor, _) => {
                let id = self.push(position, Content::List(Vec::new()), anchor);
                self.open.push(Open::List { id, items: Vec::new() });
            }
            Event::MappingStart(_, anchor, _) => {
                let id = self.push(position, Content::Mapping(Vec::new()), anchor);
                self.open.push(Open::Mapping { id, key: None, pairs: Vec::new() });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (id, content) = match self.open.pop() {
                    Some(Open::List { id, items }) => (id, Content::List(items)),
                    Some(Open::Mapping { id, pairs, .. }) => (id, Content::Mapping(pairs)),
                    None => return Ok(()),
                };
                self.nodes[id.0].content = content;
                self.place(id);
            }
            // Start and end of the stream, and metadata that was not asked for.
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, position: Position, content: Content, anchor: usize) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { position, content });
        // 0 is the parser's word for "no anchor".
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, finished: NodeId) {
        match self.open.last_mut() {
            None => self.root = Some(finished),
            Some(Open::List { items, .. }) => items.push(finished),
            Some(Open::Mapping { key, pairs, .. }) => match key.take() {
                None => *key = Some(finished),
                Some(key) => pairs.push((key, finished)),
            },
        }
    }
}

impl ScalarForm {
    fn of(style: ScalarStyle, tag: Option<&Tag>) -> ScalarForm {
        match tag {
            // A lone `!` means "not to be resolved", which is text.
            Some(tag) if tag.is_yaml_core_schema_tag("str") || tag.original() == "!" => {
                ScalarForm::Text
            }
            Some(tag) if tag.is_custom() => ScalarForm::Tagged(tag.original()),
            _ if style == ScalarStyle::Plain => ScalarForm::Plain,
            _ => ScalarForm::Text,
        }
    }
}
