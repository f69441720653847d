//! What a template may say: its syntax tree is read before anything is compiled or run.
//!
//! The engine has no limit of its own on how deep an expression nests or how large a value gets, so
//! what could nest or grow is refused here, by a list of what is allowed.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, ForLoop, Stmt, UnaryOpKind};
use minijinja::machinery::{Span, Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::Part;
use super::names::{Declared, full_name};
use crate::FieldError;

/// The tokens of one `{{ … }}` or `{% … %}`: what bounds the depth of an expression.
const MAX_TOKENS: usize = 200;
/// A text in quotes: each step of a run may go over it again.
const MAX_QUOTED: usize = 1_000;
/// Each `elif` nests in the one before it.
const MAX_ELIFS: usize = 100;
/// Mistakes reported of one part.
const MAX_ERRORS: usize = 50;

/// Filters whose result is no larger than what they get.
const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "float",
    "int",
    "last",
    "length",
    "lower",
    "round",
    "title",
    "trim",
    "upper",
];
const TESTS: &[&str] = &[
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "ge",
    "gt",
    "in",
    "iterable",
    "le",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
];

/// Reports what is wrong with one part; the answer is the names it uses.
pub(super) fn check(
    part: Part,
    source: &str,
    declared: &Declared,
    errors: &mut Vec<FieldError>,
) -> Vec<String> {
    let mut checker =
        Checker { part, declared, found: Vec::new(), used: Vec::new(), bound: Vec::new() };
    if source.chars().count() > part.longest_source() {
        let message = format!("must be at most {} characters", part.longest_source());
        checker.report("too_long", message);
    } else if checker.measure(source) {
        match parse(source, part.path(), SyntaxConfig::default()) {
            Ok(tree) => checker.statement(&tree),
            Err(error) => checker.syntax(&error),
        }
    }
    errors.append(&mut checker.found);
    checker.used
}

struct Checker<'a> {
    part: Part,
    declared: &'a Declared,
    found: Vec<FieldError>,
    used: Vec<String>,
    /// The variables of the loops around the present place.
    bound: Vec<&'a str>,
}

impl<'a> Checker<'a> {
    fn report(&mut self, code: &str, message: String) {
        let error = FieldError::new(self.part.path(), code, message);
        if self.found.len() < MAX_ERRORS && !self.found.contains(&error) {
            self.found.push(error);
        }
    }

    fn syntax(&mut self, error: &minijinja::Error) {
        let line = error.line().unwrap_or(1);
        let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        self.report("syntax", format!("line {line}: {what}"));
    }

    fn forbid(&mut self, span: Span, what: &str) {
        self.report("not_allowed", format!("line {}: {what}", span.start_line));
    }

    /// Whether the parser, which descends, may have it.
    fn measure(&mut self, source: &str) -> bool {
        let (mut tokens, mut elifs) = (0, 0);
        for token in tokenize(source, false, SyntaxConfig::default()) {
            let (token, span) = match token {
                Ok(token) => token,
                Err(error) => {
                    self.syntax(&error);
                    return false;
                }
            };
            let quoted = match &token {
                Token::Str(text) => text.len(),
                Token::String(text) => text.len(),
                _ => 0,
            };
            if quoted > MAX_QUOTED {
                self.forbid(span, "this is too long a text in quotes: write it outside of the tag");
                return false;
            }
            match token {
                Token::VariableStart | Token::BlockStart | Token::TemplateData(_) => tokens = 0,
                Token::Ident("elif") => elifs += 1,
                _ => {}
            }
            tokens += 1;
            if tokens > MAX_TOKENS || elifs > MAX_ELIFS {
                self.forbid(span, "this is too long an expression");
                return false;
            }
        }
        true
    }

    fn statements(&mut self, statements: &[Stmt<'a>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emitted) => self.expression(&emitted.expr),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(repeated) => self.repeated(repeated, repeated.span()),
            Stmt::Set(one) => self.forbid(one.span(), "values cannot be set"),
            Stmt::SetBlock(one) => self.forbid(one.span(), "values cannot be set"),
            Stmt::WithBlock(one) => self.forbid(one.span(), "values cannot be set"),
            Stmt::AutoEscape(one) => self.forbid(one.span(), "escaping cannot be changed"),
            Stmt::FilterBlock(one) => self.forbid(one.span(), "there are no filter blocks"),
            Stmt::Do(one) => self.forbid(one.span(), "there are no calls"),
        }
    }

    fn repeated(&mut self, repeated: &ForLoop<'a>, span: Span) {
        if repeated.recursive {
            self.forbid(span, "a loop cannot be recursive");
        }
        match &repeated.iter {
            Expr::List(list) if list.as_const().is_some() => {}
            other => self.expression(other),
        }
        let depth = self.bound.len();
        self.bound.push("loop");
        match &repeated.target {
            Expr::Var(variable) => self.bound.push(variable.id),
            Expr::Tuple(tuple) => self.bind(&tuple.items, span),
            Expr::List(list) => self.bind(&list.items, span),
            _ => self.forbid(span, "a loop needs the name of a variable"),
        }
        if let Some(filter) = &repeated.filter_expr {
            self.expression(filter);
        }
        self.statements(&repeated.body);
        self.bound.truncate(depth);
        self.statements(&repeated.else_body);
    }

    fn bind(&mut self, targets: &[Expr<'a>], span: Span) {
        for target in targets {
            match target {
                Expr::Var(variable) => self.bound.push(variable.id),
                _ => self.forbid(span, "a loop needs the names of variables"),
            }
        }
    }

    fn expression(&mut self, expression: &Expr<'a>) {
        if let Some((root, fields)) = path(expression) {
            self.name(root, &fields);
            return;
        }
        match expression {
            Expr::Const(_) | Expr::Var(_) => {}
            Expr::GetAttr(one) => self.expression(&one.expr),
            Expr::GetItem(one) => {
                self.expression(&one.expr);
                self.expression(&one.subscript_expr);
            }
            Expr::Slice(one) => {
                self.expression(&one.expr);
                for bound in [&one.start, &one.stop, &one.step].into_iter().flatten() {
                    self.expression(bound);
                }
            }
            Expr::UnaryOp(one) => match one.op {
                UnaryOpKind::Not | UnaryOpKind::Neg => self.expression(&one.expr),
            },
            Expr::BinOp(one) => {
                if matches!(
                    one.op,
                    BinOpKind::Add
                        | BinOpKind::Sub
                        | BinOpKind::Mul
                        | BinOpKind::Div
                        | BinOpKind::FloorDiv
                        | BinOpKind::Rem
                        | BinOpKind::Pow
                        | BinOpKind::Concat
                ) {
                    let what = "nothing is computed or joined here: write values side by side";
                    self.forbid(one.span(), what);
                }
                self.expression(&one.left);
                self.operand(&one.right);
            }
            Expr::Compare(one) => {
                self.expression(&one.expr);
                for step in &one.ops {
                    self.operand(&step.expr);
                }
            }
            Expr::IfExpr(one) => {
                self.expression(&one.test_expr);
                self.expression(&one.true_expr);
                if let Some(otherwise) = &one.false_expr {
                    self.expression(otherwise);
                }
            }
            Expr::Filter(one) => {
                self.known("filter", one.name, FILTERS, one.span());
                if let Some(filtered) = &one.expr {
                    self.expression(filtered);
                }
                self.arguments(&one.args, one.span());
            }
            Expr::Test(one) => {
                self.known("test", one.name, TESTS, one.span());
                self.expression(&one.expr);
                self.arguments(&one.args, one.span());
            }
            Expr::Call(one) => self.forbid(one.span(), "there are no functions"),
            Expr::List(one) => self.forbid(one.span(), "a list goes only after in"),
            Expr::Tuple(one) => self.forbid(one.span(), "a list goes only after in"),
            Expr::Map(one) => self.forbid(one.span(), "there are no maps"),
        }
    }

    /// A list of constants to be looked up in cannot grow.
    fn operand(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::List(list) if list.as_const().is_some() => {}
            other => self.expression(other),
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'a>], span: Span) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.operand(value),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    self.forbid(span, "arguments are written one by one");
                }
            }
        }
    }

    fn known(&mut self, what: &str, name: &str, known: &[&str], span: Span) {
        if !known.contains(&name) {
            let message = format!("there is no {what} {name}; there are {}", known.join(", "));
            self.forbid(span, &message);
        }
    }

    fn name(&mut self, root: &str, fields: &[&str]) {
        if self.bound.contains(&root) {
            return;
        }
        match self.declared.refusal(root, fields) {
            Some(message) => self.report("unknown_variable", message),
            None => self.used.push(full_name(root, fields)),
        }
    }
}

/// The name that an expression is, written `a.b.c` or `a["b"].c`.
fn path<'e, 'a>(expression: &'e Expr<'a>) -> Option<(&'a str, Vec<&'e str>)> {
    let mut fields = Vec::new();
    let mut inner = expression;
    loop {
        match inner {
            Expr::Var(variable) => {
                fields.reverse();
                return Some((variable.id, fields));
            }
            Expr::GetAttr(one) => {
                fields.push(one.name);
                inner = &one.expr;
            }
            Expr::GetItem(one) => {
                let Expr::Const(field) = &one.subscript_expr else { return None };
                fields.push(field.value.as_str()?);
                inner = &one.expr;
            }
            _ => return None,
        }
    }
}
