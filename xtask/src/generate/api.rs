//! What `api.sql` says about the schema public.

use anyhow::{Context, Result};
use serde_json::Value;

pub struct Api {
    pub functions: Vec<Function>,
    pub relations: Vec<Relation>,
    pub enums: Vec<Enum>,
}

pub struct Function {
    pub name: String,
    pub arguments: Vec<Argument>,
    /// The columns of a `returns table`.
    pub columns: Option<Vec<Argument>>,
    pub returns: Type,
    pub is_set: bool,
    /// The result as SQL says it.
    pub result: String,
    /// Who may call it.
    pub roles: Vec<String>,
    pub service: bool,
    pub comment: String,
}

pub struct Argument {
    pub name: String,
    pub of: Type,
    pub default: Option<String>,
}

pub struct Type {
    /// As SQL says it.
    pub name: String,
    /// The type, or that of the elements, as the catalogue names it.
    pub base: String,
    pub is_enum: bool,
    pub is_list: bool,
}

pub struct Relation {
    pub name: String,
    pub is_view: bool,
    pub columns: Vec<Column>,
    pub links: Vec<Link>,
}

pub struct Column {
    pub name: String,
    pub of: Type,
    pub is_nullable: bool,
    pub has_default: bool,
    /// Whether nobody may write it.
    pub is_computed: bool,
}

/// A foreign key.
pub struct Link {
    pub name: String,
    pub columns: Vec<String>,
    pub to: String,
    pub keys: Vec<String>,
    pub is_one_to_one: bool,
}

pub struct Enum {
    pub name: String,
    pub labels: Vec<String>,
}

impl Api {
    pub fn read(facts: &str) -> Result<Self> {
        let facts: Value = serde_json::from_str(facts).context("api.sql does not say JSON")?;
        Self::of(&facts).context("api.sql leaves something out")
    }

    fn of(facts: &Value) -> Option<Self> {
        Some(Self {
            functions: each(&facts["functions"], function)?,
            relations: each(&facts["relations"], relation)?,
            enums: each(&facts["enums"], |fact| {
                Some(Enum { name: text(&fact["name"])?, labels: each(&fact["labels"], text)? })
            })?,
        })
    }
}

fn function(fact: &Value) -> Option<Function> {
    Some(Function {
        name: text(&fact["name"])?,
        arguments: each(&fact["arguments"], argument)?,
        columns: if fact["columns"].is_null() {
            None
        } else {
            Some(each(&fact["columns"], argument)?)
        },
        returns: of(&fact["returns"])?,
        is_set: fact["set"].as_bool()?,
        result: text(&fact["result"])?,
        roles: each(&fact["roles"], text)?,
        service: fact["service"].as_bool()?,
        comment: text(&fact["comment"])?,
    })
}

fn argument(fact: &Value) -> Option<Argument> {
    Some(Argument {
        name: text(&fact["name"])?,
        of: of(&fact["type"])?,
        default: text(&fact["default"]),
    })
}

fn of(fact: &Value) -> Option<Type> {
    Some(Type {
        name: text(&fact["name"])?,
        base: text(&fact["base"])?,
        is_enum: fact["enum"].as_bool()?,
        is_list: fact["list"].as_bool()?,
    })
}

fn relation(fact: &Value) -> Option<Relation> {
    Some(Relation {
        name: text(&fact["name"])?,
        is_view: fact["view"].as_bool()?,
        columns: each(&fact["columns"], |column| {
            Some(Column {
                name: text(&column["name"])?,
                of: of(&column["type"])?,
                is_nullable: column["null"].as_bool()?,
                has_default: column["default"].as_bool()?,
                is_computed: column["computed"].as_bool()?,
            })
        })?,
        links: each(&fact["links"], |link| {
            Some(Link {
                name: text(&link["name"])?,
                columns: each(&link["columns"], text)?,
                to: text(&link["to"])?,
                keys: each(&link["keys"], text)?,
                is_one_to_one: link["one"].as_bool()?,
            })
        })?,
    })
}

fn each<T>(facts: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    facts.as_array()?.iter().map(read).collect()
}

fn text(fact: &Value) -> Option<String> {
    fact.as_str().map(str::to_owned)
}
