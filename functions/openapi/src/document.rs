//! Operations, and the document that they make.

use std::collections::{BTreeMap, BTreeSet};

use fieldcrm_core::Code;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::problem;

type Describe = fn(&mut SchemaGenerator) -> Schema;

fn of<T: JsonSchema>() -> Describe {
    |generator| generator.subschema_for::<T>()
}

/// One method of one path.
pub struct Operation {
    method: &'static str,
    path: String,
    id: String,
    summary: &'static str,
    description: Option<&'static str>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
    problems: BTreeSet<u16>,
    security: Option<&'static [&'static str]>,
    /// A token is no must.
    or_anonymous: bool,
}

struct Parameter {
    place: &'static str,
    name: &'static str,
    is_required: bool,
    description: &'static str,
    schema: Describe,
}

struct Body {
    is_required: bool,
    content: Vec<(&'static str, Describe)>,
    example: Option<Value>,
}

struct Answer {
    status: u16,
    description: &'static str,
    content: Vec<(&'static str, Describe)>,
    headers: &'static [(&'static str, &'static str)],
}

const JSON: &str = "application/json";
const LOCATION: &[(&str, &str)] = &[("Location", "The path of what was made.")];

/// What any path may answer, whatever is asked. Those that no code has are left out.
const ALWAYS: [u16; 7] = [400, 401, 403, 414, 431, 500, 503];

impl Operation {
    pub fn new(
        method: &'static str,
        path: impl Into<String>,
        id: impl Into<String>,
        summary: &'static str,
    ) -> Self {
        let path = path.into();
        let has_id = path.contains("{id}");
        let mut operation = Self {
            method,
            path,
            id: id.into(),
            summary,
            description: None,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            problems: ALWAYS.into_iter().collect(),
            security: None,
            or_anonymous: false,
        };
        if has_id {
            operation = operation.path_parameter::<uuid::Uuid>("id", "The id.").fails(&[404]);
        }
        operation
    }

    pub fn get(path: impl Into<String>, id: impl Into<String>, summary: &'static str) -> Self {
        Self::new("get", path, id, summary)
    }

    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("post", path, id, summary)
    }

    pub fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("patch", path, id, summary)
    }

    pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new("delete", path, id, summary)
    }

    pub const fn about(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    fn parameter<T: JsonSchema>(
        mut self,
        place: &'static str,
        name: &'static str,
        is_required: bool,
        description: &'static str,
    ) -> Self {
        let schema = of::<T>();
        self.parameters.push(Parameter { place, name, is_required, description, schema });
        self
    }

    pub fn path_parameter<T: JsonSchema>(
        self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        self.parameter::<T>("path", name, true, description)
    }

    pub fn query<T: JsonSchema>(self, name: &'static str, description: &'static str) -> Self {
        self.parameter::<T>("query", name, false, description)
    }

    pub fn required_query<T: JsonSchema>(
        self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        self.parameter::<T>("query", name, true, description)
    }

    pub fn header<T: JsonSchema>(self, name: &'static str, description: &'static str) -> Self {
        self.parameter::<T>("header", name, false, description)
    }

    /// Takes an `Idempotency-Key`.
    pub fn keyed(self) -> Self {
        let about = "The same key with the same request again returns the first answer, for 24 hours; with another request it is refused.";
        self.header::<crate::choice::IdempotencyKey>("Idempotency-Key", about).fails(&[409])
    }

    pub fn body<T: JsonSchema>(self) -> Self {
        self.bodies(true, vec![(JSON, of::<T>())])
    }

    pub fn optional_body<T: JsonSchema>(self) -> Self {
        self.bodies(false, vec![(JSON, of::<T>())])
    }

    /// A body of another form, beside those it has.
    pub fn body_as<T: JsonSchema>(self, content_type: &'static str) -> Self {
        self.bodies(true, vec![(content_type, of::<T>())])
    }

    fn bodies(mut self, is_required: bool, content: Vec<(&'static str, Describe)>) -> Self {
        let body = self.body.get_or_insert_with(|| Body {
            is_required,
            content: Vec::new(),
            example: None,
        });
        body.content.extend(content);
        self.fails(&[413])
    }

    /// A body that would be taken, for readers and for who makes up requests.
    pub fn example(mut self, example: Value) -> Self {
        if let Some(body) = &mut self.body {
            body.example = Some(example);
        }
        self
    }

    fn answer(
        mut self,
        status: u16,
        description: &'static str,
        content: Vec<(&'static str, Describe)>,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        if let Some(answer) = self.answers.iter_mut().find(|one| one.status == status) {
            answer.content.extend(content);
        } else {
            self.answers.push(Answer { status, description, content, headers });
        }
        self
    }

    pub fn ok<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answers::<T>(200, description)
    }

    pub fn answers<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answer(status, description, vec![(JSON, of::<T>())], &[])
    }

    pub fn answers_as<T: JsonSchema>(
        self,
        status: u16,
        content_type: &'static str,
        description: &'static str,
    ) -> Self {
        self.answer(status, description, vec![(content_type, of::<T>())], &[])
    }

    /// 201, with where it is.
    pub fn created<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answer(201, description, vec![(JSON, of::<T>())], LOCATION)
    }

    /// 202, with where to ask how far it is.
    pub fn accepted<T: JsonSchema>(self, description: &'static str) -> Self {
        self.answer(202, description, vec![(JSON, of::<T>())], LOCATION)
    }

    /// An answer without a body.
    pub fn empty(
        self,
        status: u16,
        description: &'static str,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.answer(status, description, Vec::new(), headers)
    }

    /// Refusals beside those that any path may answer.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// Not the token of a user: one of these schemes, or nothing.
    pub const fn secured_by(mut self, schemes: &'static [&'static str]) -> Self {
        self.security = Some(schemes);
        self
    }

    /// The document's own scheme, or nothing.
    pub const fn or_anonymous(mut self) -> Self {
        self.or_anonymous = true;
        self
    }

    fn write(
        self,
        info: &Info,
        requests: &mut SchemaGenerator,
        responses: &mut SchemaGenerator,
    ) -> Value {
        let mut written = json!({"operationId": self.id, "summary": self.summary});
        if let Some(description) = self.description {
            written["description"] = description.into();
        }
        let described = |content: Vec<(&'static str, Describe)>,
                         generator: &mut SchemaGenerator| {
            let one = |(kind, describe): (&'static str, Describe)| {
                (kind.to_owned(), json!({"schema": describe(generator)}))
            };
            Value::Object(content.into_iter().map(one).collect())
        };
        if !self.parameters.is_empty() {
            let parameters = self.parameters.into_iter().map(|one| {
                json!({"name": one.name, "in": one.place, "required": one.is_required, "description": one.description,
                    "schema": (one.schema)(requests)})
            });
            written["parameters"] = parameters.collect();
        }
        if let Some(Body { is_required, content, example }) = self.body {
            let mut content = described(content, requests);
            if let Some(example) = example {
                content[JSON]["example"] = example;
            }
            written["requestBody"] = json!({"required": is_required, "content": content});
        }
        let mut answers = BTreeMap::new();
        for Answer { status, description, content, headers } in self.answers {
            let mut answer = json!({"description": description});
            let header = |(name, about): &(&str, &str)| {
                ((*name).to_owned(), json!({"description": about, "schema": {"type": "string"}}))
            };
            if !headers.is_empty() {
                answer["headers"] = Value::Object(headers.iter().map(header).collect());
            }
            if !content.is_empty() {
                answer["content"] = described(content, responses);
            }
            answers.insert(status.to_string(), answer);
        }
        for status in self.problems.into_iter().filter(|status| problem::exists(*status)) {
            let known = answers.insert(status.to_string(), problem::reference(status));
            assert!(known.is_none(), "{} has two answers {status}", self.id);
        }
        written["responses"] = json!(answers);
        if let Some(schemes) = self.security {
            let schemes = schemes.iter().map(|scheme| json!({*scheme: []}));
            let nobody = schemes.len() == 0;
            written["security"] = if nobody { json!([]) } else { schemes.collect() };
        }
        if self.or_anonymous {
            let own = info.security.iter().map(|(name, _)| json!({*name: []}));
            written["security"] = std::iter::once(json!({})).chain(own).collect();
        }
        written
    }
}

/// What a document is about.
pub struct Info {
    /// Of the deployable, and of the file.
    pub name: &'static str,
    pub slugs: &'static [&'static str],
    pub title: &'static str,
    pub description: &'static str,
    /// By name; the first is the one of an operation that names none.
    pub security: &'static [(&'static str, SecurityScheme)],
}

#[derive(Clone, Copy)]
pub enum SecurityScheme {
    Bearer(&'static str),
    Basic(&'static str),
    Header(&'static str, &'static str),
}

impl SecurityScheme {
    fn write(self) -> Value {
        match self {
            Self::Bearer(about) => {
                json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about})
            }
            Self::Basic(about) => json!({"type": "http", "scheme": "basic", "description": about}),
            Self::Header(name, about) => {
                json!({"type": "apiKey", "in": "header", "name": name, "description": about})
            }
        }
    }
}

/// What every function has, under each of its slugs.
fn common(slug: &str) -> Vec<Operation> {
    let id = |what: &str| format!("{what}Of_{}", slug.replace('-', "_"));
    vec![
        Operation::get(format!("/{slug}/openapi.json"), id("openapi"), "This document")
            .secured_by(&[])
            .ok::<crate::choice::Anything>("OpenAPI 3.1."),
        Operation::get(format!("/{slug}/healthz"), id("health"), "Whether the function is there")
            .about("Asks nobody.")
            .secured_by(&[])
            .ok::<crate::choice::Health>("It is."),
        Operation::get(
            format!("/{slug}/metrics"),
            id("metrics"),
            "Counters, as Prometheus reads them",
        )
        .about("docs/operations.md says what they are.")
        .secured_by(&["service"])
        .answers_as::<String>(200, "text/plain", "The exposition, version 0.0.4."),
    ]
}

/// Objects have the members that are named, and no others.
#[derive(Clone)]
struct Strict;

impl Transform for Strict {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut()
            && object.contains_key("properties")
        {
            object.entry("additionalProperties").or_insert(false.into());
        }
        transform_subschemas(self, schema);
    }
}

fn generator(settings: SchemaSettings) -> SchemaGenerator {
    settings
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .with_transform(Strict)
        .into_generator()
}

/// The document as JSON.
pub fn write(info: &Info, operations: Vec<Operation>) -> Value {
    let mut requests = generator(SchemaSettings::draft2020_12().for_deserialize());
    let mut responses = generator(SchemaSettings::draft2020_12().for_serialize());
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for operation in operations.into_iter().chain(info.slugs.iter().flat_map(|slug| common(slug))) {
        let (method, path) = (operation.method, operation.path.clone());
        assert!(ids.insert(operation.id.clone()), "{} is there twice", operation.id);
        let written = operation.write(info, &mut requests, &mut responses);
        let known = paths.entry(path.clone()).or_default().insert(method.to_owned(), written);
        assert!(known.is_none(), "{method} {path} is there twice");
    }
    let mut schemas: BTreeMap<String, Value> = problem::schemas();
    for (name, schema) in
        requests.take_definitions(true).into_iter().chain(responses.take_definitions(true))
    {
        if let Some(other) = schemas.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "two schemas have the name {name}");
        }
    }
    let service = ("service", SecurityScheme::Bearer("A token of the service role."));
    let security: Map<String, Value> = std::iter::once(&service)
        .chain(info.security)
        .map(|(name, scheme)| ((*name).to_owned(), scheme.write()))
        .collect();
    let first = info.security.first().map(|(name, _)| json!({*name: []}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title, "version": env!("CARGO_PKG_VERSION"), "description": info.description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/functions/v1", "description": "Supabase"}, {"url": "/", "description": "Cloudflare Workers"}],
        "security": first.into_iter().collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": security,
            "schemas": schemas,
            "responses": problem::responses(&Code::ALL.iter().map(|code| code.status()).collect()),
        },
    })
}
