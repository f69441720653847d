//! The types of the schema public for supabase-js, in the shape that `supabase gen types` has.

use std::fmt::Write;

use super::api::{Api, Argument, Column, Function, Relation, Type};

const HEAD: &str = "\
// Written by `cargo xtask gen` from the catalogue of a migrated database; do not edit.
import type { Result } from \"./results.js\";

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
";

pub fn declarations(api: &Api) -> String {
    let mut text = HEAD.to_owned();
    for (kind, is_view) in [("Tables", false), ("Views", true)] {
        let _ = writeln!(text, "    {kind}: {{");
        for relation in api.relations.iter().filter(|relation| relation.is_view == is_view) {
            describe(&mut text, relation);
        }
        text.push_str("    };\n");
    }
    text.push_str("    Functions: {\n");
    for function in &api.functions {
        let _ = writeln!(
            text,
            "      {}: {{ Args: {}; Returns: {} }};",
            function.name,
            arguments(&function.arguments),
            result(function)
        );
    }
    text.push_str("    };\n    Enums: {\n");
    for one in &api.enums {
        let labels: Vec<_> = one.labels.iter().map(|label| format!("{label:?}")).collect();
        let _ = writeln!(text, "      {}: {};", one.name, labels.join(" | "));
    }
    text.push_str("    };\n    CompositeTypes: { [_ in never]: never };\n  };\n};\n");
    text
}

fn describe(text: &mut String, relation: &Relation) {
    let _ = writeln!(text, "      {}: {{\n        Row: {{", relation.name);
    for column in &relation.columns {
        let _ = writeln!(text, "          {}: {};", column.name, value(column));
    }
    text.push_str("        };\n");
    if !relation.is_view {
        for (kind, required) in [("Insert", true), ("Update", false)] {
            let _ = writeln!(text, "        {kind}: {{");
            for column in &relation.columns {
                let must = required && !column.is_nullable && !column.has_default;
                let mark = if must { "" } else { "?" };
                let of = if column.is_computed { "never".to_owned() } else { value(column) };
                let _ = writeln!(text, "          {}{mark}: {of};", column.name);
            }
            text.push_str("        };\n");
        }
    }
    text.push_str("        Relationships: [");
    for link in &relation.links {
        let _ = write!(
            text,
            "\n          {{ foreignKeyName: {:?}; columns: {}; isOneToOne: {}; referencedRelation: {:?}; referencedColumns: {} }},",
            link.name,
            tuple(&link.columns),
            link.is_one_to_one,
            link.to,
            tuple(&link.keys)
        );
    }
    let end = if relation.links.is_empty() { "" } else { "\n        " };
    let _ = writeln!(text, "{end}];\n      }};");
}

fn tuple(names: &[String]) -> String {
    format!("{names:?}")
}

fn value(column: &Column) -> String {
    let of = of(&column.of);
    if column.is_nullable { format!("{of} | null") } else { of }
}

fn arguments(arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return "Record<PropertyKey, never>".to_owned();
    }
    let fields: Vec<_> = arguments
        .iter()
        .map(|argument| {
            let of = of(&argument.of);
            match &argument.default {
                None => format!("{}: {of}", argument.name),
                Some(default) if default.starts_with("NULL") => {
                    format!("{}?: {of} | null", argument.name)
                }
                Some(_) => format!("{}?: {of}", argument.name),
            }
        })
        .collect();
    format!("{{ {} }}", fields.join("; "))
}

fn result(function: &Function) -> String {
    let one = match &function.columns {
        Some(columns) => arguments(columns),
        None if function.returns.base == "jsonb" => format!("Result<{:?}>", function.name),
        None => of(&function.returns),
    };
    if function.is_set { format!("{one}[]") } else { one }
}

/// What JSON has for a value of the type.
fn of(kind: &Type) -> String {
    let one = if kind.is_enum {
        format!("Database[\"public\"][\"Enums\"][{:?}]", kind.base)
    } else {
        match kind.base.as_str() {
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => "number",
            "bool" => "boolean",
            "json" | "jsonb" => "Json",
            "void" => "undefined",
            "bytea" | "bpchar" | "citext" | "date" | "inet" | "interval" | "text" | "time"
            | "timetz" | "timestamp" | "timestamptz" | "tsvector" | "uuid" | "varchar"
            | "vector" => "string",
            _ => "unknown",
        }
        .to_owned()
    };
    if kind.is_list { format!("{one}[]") } else { one }
}
