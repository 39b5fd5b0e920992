//! Parts of a text that the queries capture: places that may read the environment, names, blocks and functions. Collecting
//! them is in `source_notes`.

use std::ops::Range;

use tree_sitter::Node;

/// A place that may read the environment.
pub(super) struct CaptureSite<'t> {
    /// Node of the whole expression.
    pub(super) read: Node<'t>,
    pub(super) kind: PlaceKind<'t>,
    /// Marks a read with a default value.
    pub(super) default: bool,
}

pub(super) enum PlaceKind<'t> {
    /// `function(arguments)`, or `receiver.function(arguments)`.
    Call { receiver: Option<Node<'t>>, function: Node<'t>, suffix: String, arguments: Node<'t> },
    /// `object[key]` or `object.property`.
    Entry { object: Node<'t>, key: Node<'t>, is_name: bool, act: Act },
    /// The whole environment, if the expression is a table.
    Whole(Node<'t>),
    /// Struct tags.
    Tag,
}

/// Access to an entry of the environment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    /// Check for existence only.
    Ask,
    Write,
}

/// A variable that is read by its bare name, as in shell.
pub(super) struct Name<'t> {
    pub(super) node: Node<'t>,
    pub(super) default: bool,
    pub(super) required: bool,
    /// Marks a name that stands for the variable in capitals.
    pub(super) upper: bool,
    /// Marks a read at build time.
    pub(super) build: bool,
    /// Marks an expression that may be another name for a string.
    pub(super) expression: bool,
    /// Marks an attribute that stands for the field behind it.
    pub(super) field: bool,
}

impl<'t> Name<'t> {
    /// Returns the node with the name.
    pub(super) fn target(&self, node: Node<'t>) -> Option<Node<'t>> {
        if !self.field {
            return Some(node);
        }
        let mut next = node.next_named_sibling();
        while let Some(sibling) = next {
            if let Some(name) = sibling.child_by_field_name("name") {
                return Some(name);
            }
            next = sibling.next_named_sibling().filter(|_| sibling.kind() != "field_declaration");
        }
        None
    }
}

/// A block that puts a prefix before the names of variables.
pub(super) struct PrefixScope<'t> {
    pub(super) function: Node<'t>,
    pub(super) prefix: Node<'t>,
    pub(super) body: Range<usize>,
}

/// An expression of a shell in which names need no `$`.
pub(super) struct Arithmetic<'t> {
    pub(super) node: Node<'t>,
    /// Array, if it is a subscript.
    pub(super) array: Option<String>,
}

/// A function that the text defines.
pub(super) struct Wrapper {
    pub(super) name: String,
    pub(super) parameters: Vec<Option<String>>,
    pub(super) body: Range<usize>,
}
