//! The form of policy.json. As strict as containers' own reader is: a key that is not known, one
//! that is there twice, an empty list make the whole file worthless.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::scope::Identity;

/// What must hold for an image to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing (`insecureAcceptAnything`).
    AcceptAnything,
    /// It must not be used (`reject`).
    Reject,
    /// A signature of this kind.
    Signed(String),
}

impl Requirement {
    /// Its type, as the file has it.
    pub fn name(&self) -> &str {
        match self {
            Requirement::AcceptAnything => "insecureAcceptAnything",
            Requirement::Reject => "reject",
            Requirement::Signed(kind) => kind,
        }
    }
}

/// Scopes of a transport, and what each wants.
type Scopes = Vec<(String, Vec<Requirement>)>;

/// A policy file.
#[derive(Debug)]
pub struct Policy {
    default: Vec<Requirement>,
    transports: Vec<(String, Scopes)>,
}

impl Policy {
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Node = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut members = document.members("the policy", &["default", "transports"])?;
        let default = take(&mut members, "default").ok_or("it has no 'default'")?;
        let default = requirements(default, "default")?;
        let mut transports = Vec::new();
        if let Some(node) = take(&mut members, "transports") {
            for (transport, scopes) in node.object("transports")? {
                let mut rules = Vec::new();
                for (scope, list) in scopes.object(&transport)? {
                    let list = requirements(list, &format!("{transport} '{scope}'"))?;
                    rules.push((scope, list));
                }
                transports.push((transport, rules));
            }
        }
        Ok(Policy { default, transports })
    }

    /// The narrowest rule that there is for an image, and the scope that it stands at; without one the default of
    /// the whole policy.
    pub fn rule_for(&self, identity: &Identity) -> (Option<&String>, &[Requirement]) {
        let rules = self.transports.iter().find(|(name, _)| name == identity.transport).map(|(_, rules)| rules);
        let find = |scope: &String| rules?.iter().find(|(name, _)| name == scope);
        match identity.scopes.iter().find_map(find) {
            Some((scope, list)) => (Some(scope), list),
            None => (None, &self.default),
        }
    }
}

fn requirements(node: Node, at: &str) -> Result<Vec<Requirement>, String> {
    let Node::Array(list) = node else { return Err(format!("{at}: it is not a list of requirements")) };
    if list.is_empty() {
        return Err(format!("{at}: the list of requirements is empty"));
    }
    list.into_iter().map(|node| requirement(node, at)).collect()
}

fn requirement(node: Node, at: &str) -> Result<Requirement, String> {
    let members = node.object(at)?;
    let kind = match members.iter().find(|(name, _)| name == "type") {
        Some((_, Node::Text(kind))) => kind.clone(),
        _ => return Err(format!("{at}: a requirement has no 'type'")),
    };
    let known: &[&str] = match kind.as_str() {
        "insecureAcceptAnything" | "reject" => &[],
        "signedBy" => &["keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"],
        "signedBaseLayer" => &["baseLayerIdentity"],
        "sigstoreSigned" => &[
            "keyPath",
            "keyPaths",
            "keyData",
            "keyDatas",
            "fulcio",
            "pki",
            "rekorPublicKeyPath",
            "rekorPublicKeyPaths",
            "rekorPublicKeyData",
            "rekorPublicKeyDatas",
            "signedIdentity",
        ],
        _ => return Err(format!("{at}: the type '{kind}' is not known")),
    };
    if let Some((name, _)) = members.iter().find(|(name, _)| name != "type" && !known.contains(&name.as_str())) {
        return Err(format!("{at}: '{kind}' has no member '{name}'"));
    }
    Ok(match kind.as_str() {
        "insecureAcceptAnything" => Requirement::AcceptAnything,
        "reject" => Requirement::Reject,
        _ => Requirement::Signed(kind),
    })
}

fn take(members: &mut Vec<(String, Node)>, name: &str) -> Option<Node> {
    let at = members.iter().position(|(member, _)| member == name)?;
    Some(members.swap_remove(at).1)
}

/// A JSON value in which no key is there twice.
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Text(String),
    /// What has no place in a policy: numbers, booleans, null. Its reader says so.
    Other,
}

impl Node {
    fn object(self, what: &str) -> Result<Vec<(String, Node)>, String> {
        match self {
            Node::Object(members) => Ok(members),
            _ => Err(format!("{what}: it is not an object")),
        }
    }

    fn members(self, what: &str, known: &[&str]) -> Result<Vec<(String, Node)>, String> {
        let members = self.object(what)?;
        match members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(format!("'{name}' is not known")),
            None => Ok(members),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, Node>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("'{name}' is there twice")));
            }
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
}
