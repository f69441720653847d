//! Which rows are the same customer.
//!
//! What decides is a property of the file and the known customers together, not of the order in which
//! rows come, and stays the same when rows have become customers: everything that a row links here is
//! linked by the file itself again the next time. So the same file again finds the customers it made,
//! and what was ambiguous is ambiguous again.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::customer::CustomerType;

use super::plan::Known;
use super::row::Row;
use super::{Key, RowError};

/// The rows of one customer.
#[derive(Debug)]
pub(super) struct Group {
    pub known: Option<(Uuid, CustomerType)>,
    /// Indexes of the rows, in their order.
    pub rows: Vec<usize>,
}

struct Person<'a> {
    id: Uuid,
    kind: CustomerType,
    external_ref: Option<&'a str>,
}

/// Somebody to whom keys belong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    /// The known customer of that index.
    Person,
    /// A customer with an `external_ref` that nobody has yet.
    Referred,
    /// A row that may belong to any of the others.
    Loose,
}

/// What became of a [`Node::Referred`] where keys lead to several customers.
#[derive(Clone, Copy)]
enum Binding {
    New,
    Person(usize),
    Ambiguous(Key),
}

struct Graph<'a> {
    people: Vec<Person<'a>>,
    nodes: Vec<Node>,
    /// Whose each key is: a node, the kind of the key, its number.
    links: Vec<(usize, Key, usize)>,
    keys: HashMap<(Key, &'a str), usize>,
    /// The keys beside the `external_ref`, which goes first.
    kinds: Vec<Key>,
    by_ref: bool,
}

/// Nodes, and after them keys, that are joined.
struct Components(Vec<usize>);

/// Finds the customer of every row; rows that have none are errors.
pub(super) fn group(
    rows: &[Row],
    known: &[Known],
    match_on: &[Key],
) -> (Vec<Group>, Vec<RowError>) {
    let mut errors = Vec::new();
    let retired: HashSet<&str> = known
        .iter()
        .filter(|one| one.retired && one.key == Key::ExternalRef)
        .map(|one| one.value.as_str())
        .collect();
    let mut live = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        if row.external_ref().is_some_and(|wanted| retired.contains(wanted)) {
            errors.push(taken(row, "another customer has this external_ref"));
        } else if let Some(first) = match_on.first()
            && !row.keys().iter().any(|(key, _)| match_on.contains(key))
        {
            let message = "the row has none of the columns of match_on";
            errors.push(RowError::new(row.number, first.column(), "no_match_key", message));
        } else {
            live.push(index);
        }
    }
    let (mut graph, owners) = Graph::of(known, match_on);
    let node_of = graph.add(rows, &live, &owners);
    let targets = graph.targets(rows, &live, &node_of, &mut errors);
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (index, target) in targets {
        let known = graph.people.get(target).map(|person| (person.id, person.kind));
        groups.entry(target).or_insert(Group { known, rows: Vec::new() }).rows.push(index);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    if !graph.by_ref {
        graph.settle_references(&mut groups, rows, &owners, &mut errors);
    }
    groups.retain(|group| !group.rows.is_empty());
    groups.sort_unstable_by_key(|group| group.rows[0]);
    (groups, errors)
}

fn taken(row: &Row, message: &str) -> RowError {
    RowError::new(row.number, "external_ref", "duplicate_external_ref", message)
}

fn ambiguous(row: &Row, key: Key) -> RowError {
    let message = "leads to more than one customer; match on something else";
    RowError::new(row.number, key.column(), "ambiguous_match", message)
}

impl<'a> Graph<'a> {
    /// The known customers, and whose each `external_ref` is. People come first among the nodes.
    fn of(known: &'a [Known], match_on: &[Key]) -> (Self, HashMap<&'a str, usize>) {
        let mut kinds: Vec<Key> = Vec::new();
        for key in match_on.iter().filter(|key| **key != Key::ExternalRef) {
            if !kinds.contains(key) {
                kinds.push(*key);
            }
        }
        let mut graph = Self {
            people: Vec::new(),
            nodes: Vec::new(),
            links: Vec::new(),
            keys: HashMap::new(),
            kinds,
            by_ref: match_on.contains(&Key::ExternalRef),
        };
        let mut by_id: HashMap<Uuid, usize> = HashMap::new();
        let mut owners = HashMap::new();
        for one in known.iter().filter(|one| !one.retired) {
            let person = *by_id.entry(one.id).or_insert_with(|| {
                let external_ref = one.external_ref.as_deref();
                graph.people.push(Person { id: one.id, kind: one.r#type, external_ref });
                graph.nodes.push(Node::Person);
                graph.people.len() - 1
            });
            if one.key == Key::ExternalRef {
                owners.insert(one.value.as_str(), person);
            } else if graph.kinds.contains(&one.key) {
                graph.link(person, one.key, &one.value);
            }
        }
        (graph, owners)
    }

    /// Adds the rows: those with one `external_ref` are one node, that of its owner if it has one.
    fn add(
        &mut self,
        rows: &'a [Row],
        live: &[usize],
        owners: &HashMap<&'a str, usize>,
    ) -> Vec<usize> {
        let mut by_ref: HashMap<&str, usize> = owners.clone();
        let mut node_of = Vec::with_capacity(live.len());
        for index in live {
            let row = &rows[*index];
            let node = if let Some(wanted) = row.external_ref().filter(|_| self.by_ref) {
                *by_ref.entry(wanted).or_insert_with(|| {
                    self.nodes.push(Node::Referred);
                    self.nodes.len() - 1
                })
            } else {
                self.nodes.push(Node::Loose);
                self.nodes.len() - 1
            };
            node_of.push(node);
            for (key, value) in row.keys() {
                if self.kinds.contains(&key) {
                    self.link(node, key, value);
                }
            }
        }
        node_of
    }

    fn link(&mut self, node: usize, key: Key, value: &'a str) {
        let next = self.keys.len();
        let number = *self.keys.entry((key, value)).or_insert(next);
        self.links.push((node, key, number));
    }

    /// Joins what shares a key of the first `count` kinds, through the nodes that may join.
    fn components(&self, count: usize, joins: impl Fn(Node) -> bool) -> Components {
        let mut components = Components((0..self.nodes.len() + self.keys.len()).collect());
        for (node, key, number) in &self.links {
            if joins(self.nodes[*node]) && self.kinds[..count].contains(key) {
                components.join(*node, self.nodes.len() + number);
            }
        }
        components
    }

    /// [`Self::components`] of loose rows only, for each number of kinds: customers have keys, but
    /// what else they have says nothing about who a row is.
    fn narrow(&self) -> Vec<Components> {
        let of = |count| self.components(count, |node| node == Node::Loose);
        (1..=self.kinds.len()).map(of).collect()
    }

    /// For each row that has one the node it belongs to: a component that can be one customer is one.
    /// In the others, where keys lead to several customers, a row with an `external_ref` is the customer
    /// of that reference, and any other row belongs to the only one that it is joined to by the first
    /// kinds of keys, as many of them as still lead to one only.
    fn targets(
        &self,
        rows: &[Row],
        live: &[usize],
        node_of: &[usize],
        errors: &mut Vec<RowError>,
    ) -> Vec<(usize, usize)> {
        let whole = self.components(self.kinds.len(), |_| true);
        let mut shapes: HashMap<usize, Shape> = HashMap::new();
        for (node, kind) in self.nodes.iter().enumerate() {
            shapes.entry(whole.root(node)).or_default().add(node, *kind, self);
        }
        let is_one = |node: usize| shapes.get(&whole.root(node)).is_some_and(Shape::is_one);
        let mut targets = Vec::with_capacity(live.len());
        if node_of.iter().all(|node| is_one(*node)) {
            // The usual file needs no more.
            for (index, node) in live.iter().zip(node_of) {
                let root = whole.root(*node);
                targets.push((*index, shapes[&root].person.unwrap_or(root)));
            }
            return targets;
        }
        let narrow = self.narrow();
        let bindings = self.bind(&narrow, |node| !is_one(node));
        let identity = |node: usize| match (self.nodes[node], bindings.get(&node)) {
            (Node::Loose, _) => None,
            (_, Some(Binding::Person(person))) => Some(*person),
            _ => Some(node),
        };
        let narrower: Vec<Narrowed> = narrow
            .into_iter()
            .enumerate()
            .map(|(last, components)| Narrowed::of(self, last + 1, components, identity))
            .rev()
            .collect();
        for (index, node) in live.iter().zip(node_of) {
            let root = whole.root(*node);
            if shapes[&root].is_one() {
                targets.push((*index, shapes[&root].person.unwrap_or(root)));
                continue;
            }
            let row = &rows[*index];
            let keys = row.keys();
            let mut refused_by = Key::ExternalRef;
            let mut found = identity(*node);
            for level in &narrower {
                if found.is_some() {
                    break;
                }
                let kinds = &self.kinds[..level.count];
                match level.of_node(*node) {
                    Some(Only::One(only)) => found = Some(only),
                    Some(Only::Several) => {
                        let has = |kind: &&Key| keys.iter().any(|(key, _)| key == *kind);
                        refused_by = kinds.iter().rev().find(has).copied().unwrap_or(refused_by);
                    }
                    None => {}
                }
            }
            match found.map(|target| (target, bindings.get(&target))) {
                Some((_, Some(Binding::Ambiguous(key)))) => errors.push(ambiguous(row, *key)),
                Some((target, _)) => targets.push((*index, target)),
                None => errors.push(ambiguous(row, refused_by)),
            }
        }
        targets
    }

    /// A customer with a new `external_ref` is the known one without any that the first of its keys
    /// leads to, unless there are several or others want it too.
    fn bind(
        &self,
        narrow: &[Components],
        concerns: impl Fn(usize) -> bool,
    ) -> HashMap<usize, Binding> {
        let mut wanted: HashMap<usize, HashMap<Key, HashSet<usize>>> = HashMap::new();
        for node in 0..self.nodes.len() {
            if self.nodes[node] == Node::Referred && concerns(node) {
                wanted.insert(node, HashMap::new());
            }
        }
        for (last, components) in narrow.iter().enumerate() {
            let root = |number: usize| components.root(self.nodes.len() + number);
            let mut holders: HashMap<usize, Vec<usize>> = HashMap::new();
            for (node, key, number) in &self.links {
                let is_free = |person: &Person<'_>| person.external_ref.is_none();
                if self.kinds[..=last].contains(key) && self.people.get(*node).is_some_and(is_free)
                {
                    holders.entry(root(*number)).or_default().push(*node);
                }
            }
            for (node, key, number) in &self.links {
                if *key == self.kinds[last]
                    && let Some(by_kind) = wanted.get_mut(node)
                    && let Some(holders) = holders.get(&root(*number))
                {
                    by_kind.entry(*key).or_default().extend(holders);
                }
            }
        }
        let wanted: HashMap<usize, Option<(Key, HashSet<usize>)>> = wanted
            .into_iter()
            .map(|(node, mut by_kind)| {
                let mut kinds = self.kinds.iter();
                (node, kinds.find_map(|kind| Some((*kind, by_kind.remove(kind)?))))
            })
            .collect();
        let mut claims: HashMap<usize, usize> = HashMap::new();
        for person in wanted.values().flatten().flat_map(|(_, people)| people) {
            *claims.entry(*person).or_default() += 1;
        }
        let bind = |(node, wanted): (usize, Option<(Key, HashSet<usize>)>)| {
            let binding = match wanted {
                None => Binding::New,
                Some((key, people)) => {
                    let mut people = people.into_iter();
                    match (people.next(), people.next()) {
                        (Some(only), None) if claims[&only] == 1 => Binding::Person(only),
                        _ => Binding::Ambiguous(key),
                    }
                }
            };
            (node, binding)
        };
        wanted.into_iter().map(bind).collect()
    }

    /// Where the `external_ref` is no key, it is a value that two customers cannot have. Who has it
    /// keeps it, and keeps it too if another row wants it: else that row would get it the next time.
    fn settle_references(
        &self,
        groups: &mut [Group],
        rows: &[Row],
        owners: &HashMap<&str, usize>,
        errors: &mut Vec<RowError>,
    ) {
        let mut wanted: HashMap<&str, HashSet<usize>> = HashMap::new();
        for (number, group) in groups.iter().enumerate() {
            for external_ref in group.rows.iter().filter_map(|index| rows[*index].external_ref()) {
                wanted.entry(external_ref).or_default().insert(number);
            }
        }
        let own: HashMap<Uuid, &str> =
            self.people.iter().filter_map(|one| Some((one.id, one.external_ref?))).collect();
        for group in groups {
            let id = group.known.map(|(id, _)| id);
            let own = id.and_then(|id| own.get(&id).copied());
            let is_own_wanted = own.is_some_and(|own| {
                let others = wanted.get(own).map_or(0, HashSet::len);
                let has = |index: &usize| rows[*index].external_ref() == Some(own);
                others > usize::from(group.rows.iter().any(has))
            });
            group.rows.retain(|index| {
                let row = &rows[*index];
                let Some(external_ref) = row.external_ref() else { return true };
                let message = match owners.get(external_ref) {
                    Some(owner) if Some(self.people[*owner].id) != id => {
                        "another customer has this external_ref"
                    }
                    None if wanted[external_ref].len() > 1 => {
                        "rows of several customers have this external_ref"
                    }
                    _ if is_own_wanted && own != Some(external_ref) => {
                        "another row has the external_ref that this would replace"
                    }
                    _ => return true,
                };
                errors.push(taken(row, message));
                false
            });
        }
    }
}

/// Who is in a component.
#[derive(Default)]
struct Shape {
    person: Option<usize>,
    people: usize,
    references: usize,
}

impl Shape {
    fn add(&mut self, node: usize, kind: Node, graph: &Graph<'_>) {
        match kind {
            Node::Person => {
                self.person = Some(node);
                self.people += 1;
                let has_ref = graph.people[node].external_ref.is_some();
                self.references += usize::from(graph.by_ref && has_ref);
            }
            Node::Referred => self.references += 1,
            Node::Loose => {}
        }
    }

    fn is_one(&self) -> bool {
        self.people <= 1 && self.references <= 1
    }
}

#[derive(Clone, Copy)]
enum Only {
    One(usize),
    Several,
}

/// The customers that have a key of each component by the first `count` kinds of keys.
struct Narrowed {
    count: usize,
    components: Components,
    only: HashMap<usize, Only>,
}

impl Narrowed {
    fn of(
        graph: &Graph<'_>,
        count: usize,
        components: Components,
        identity: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let mut only: HashMap<usize, Only> = HashMap::new();
        for (node, key, number) in &graph.links {
            let Some(found) = identity(*node).filter(|_| graph.kinds[..count].contains(key)) else {
                continue;
            };
            let root = components.root(graph.nodes.len() + number);
            let entry = only.entry(root).or_insert(Only::One(found));
            if !matches!(entry, Only::One(first) if *first == found) {
                *entry = Only::Several;
            }
        }
        Self { count, components, only }
    }

    fn of_node(&self, node: usize) -> Option<Only> {
        self.only.get(&self.components.root(node)).copied()
    }
}

impl Components {
    fn root(&self, mut node: usize) -> usize {
        while self.0[node] != node {
            node = self.0[node];
        }
        node
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.shorten(one), self.shorten(other));
        self.0[one.max(other)] = one.min(other);
    }

    /// [`Self::root`], leaving the way there half as long.
    fn shorten(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }
}
