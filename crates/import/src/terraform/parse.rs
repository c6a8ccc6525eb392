//! Text → syntax tree with spans. One bad block does not lose the file: it is blanked out and the rest is read.

use std::collections::BTreeMap;
use std::ops::Range;

use bartizan_model::{Diagnostic, FileId, Severity, Span, Text};
use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOperator, Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure::{self, Structure};
use hcl_edit::template::{Directive, Element, Strip, Template};

use super::syntax::{Accessor, Attribute, Block, Body, Call, Expr, ExprKind, For, Operator, TemplatePart};

/// How many following chunks are joined to a chunk that does not parse alone (a heredoc may hold lines that look like a new block).
const MAX_JOINED_CHUNKS: usize = 8;

/// Blocks that do not parse before the rest of a file is given up: it is no Terraform.
const MAX_ERRORS: usize = 100;

/// Reads a `.tf` or `.tfvars` file.
pub(crate) fn parse_hcl(file: FileId, text: &str) -> (Body, Vec<Diagnostic>) {
    // A byte order mark would be a syntax error of its own.
    let base = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = text.get(base..).unwrap_or("");
    let first_error = match parse_body(file, base, text) {
        Ok(body) => return (body, Vec::new()),
        Err(error) => error,
    };
    let mut diagnostics = Vec::new();
    let mut out = Body::default();
    let chunks = chunks(text);
    let mut index = 0;
    while let Some(chunk) = chunks.get(index) {
        let mut joined = 0;
        let mut error = None;
        let read = loop {
            let Some(last) = chunks.get(index + joined) else { break None };
            let part = text.get(chunk.start..last.end).unwrap_or("");
            match parse_body(file, base + chunk.start, part) {
                Ok(body) => break Some(body),
                Err(problem) => error = error.or(Some(problem)),
            }
            joined += 1;
            if joined > MAX_JOINED_CHUNKS {
                break None;
            }
        };
        match read {
            Some(body) => {
                out.attributes.extend(body.attributes);
                out.blocks.extend(body.blocks);
                index += joined + 1;
            }
            None => {
                diagnostics.extend(error);
                index += 1;
                if diagnostics.len() >= MAX_ERRORS {
                    let message = format!("{MAX_ERRORS} blocks do not parse, so the rest of the file is left out");
                    let span = Span::new(file, base + chunk.start..base + chunk.start);
                    diagnostics.push(Diagnostic::new("terraform/syntax", Severity::Error, message, span));
                    break;
                }
            }
        }
    }
    if diagnostics.is_empty() {
        // Every chunk parses but the whole does not: an attribute or block stands twice, say.
        diagnostics.push(first_error);
    }
    (out, diagnostics)
}

/// Stands in a masked text for a character that the parser stumbles over; restored when the tree is read.
const MASK: char = '\u{1a}';
/// Duplicate keys in one file beyond this are a syntax error.
const MAX_DUPLICATE_KEYS: usize = 200;

/// Parses one text. Two things that Terraform accepts and the parser refuses are masked first: a key that stands twice in an object (the last
/// one wins), and a heredoc line that starts with the delimiter but goes on behind it.
fn parse_body(file: FileId, base: usize, text: &str) -> Result<Body, Diagnostic> {
    let first = match hcl_edit::parser::parse_body(text) {
        Ok(body) => return Ok(Reader { file, base, renamed: BTreeMap::new() }.body(&body)),
        Err(error) => error,
    };
    let mut masked = mask_heredocs(text);
    let mut renamed = BTreeMap::new();
    for _ in 0..MAX_DUPLICATE_KEYS {
        match hcl_edit::parser::parse_body(&masked) {
            Ok(body) => return Ok(Reader { file, base, renamed }.body(&body)),
            Err(error) if error.message().contains("redefined object key") => {
                if !rename_key(&mut masked, error.location().offset(), &mut renamed) {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    Err(syntax_error(file, base, text, &first))
}

/// Masks the first character of each heredoc line that starts with the delimiter and does not end with it.
fn mask_heredocs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut delimiter: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let body = line.trim();
        match &delimiter {
            Some(word) if body == word => delimiter = None,
            Some(word) if body.starts_with(word.as_str()) => {
                let lead = line.len() - line.trim_start().len();
                out.push_str(line.get(..lead).unwrap_or(""));
                out.push(MASK);
                out.push_str(line.get(lead + 1..).unwrap_or(""));
                continue;
            }
            Some(_) => {}
            None => {
                let opened = body.rsplit_once("<<").map(|(_, word)| word.trim_start_matches('-'));
                delimiter = opened
                    .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
                    .map(str::to_owned);
            }
        }
        out.push_str(line);
    }
    out
}

/// Gives the object key at an offset a name of the same length that no other key has; remembers its own.
fn rename_key(text: &mut String, offset: usize, renamed: &mut BTreeMap<usize, String>) -> bool {
    let Some(rest) = text.get(offset..) else { return false };
    let quoted = rest.starts_with('"');
    let start = offset + usize::from(quoted);
    let is_key = |c: char| if quoted { c != '"' && c != '$' } else { c.is_alphanumeric() || c == '_' || c == '-' };
    let key: String = text.get(start..).unwrap_or("").chars().take_while(|c| is_key(*c)).collect();
    if key.is_empty() || !key.is_ascii() {
        return false;
    }
    // Keys renamed before are distinct by construction: the counter is part of the name as far as the length allows.
    let counter = renamed.len();
    let original = renamed.get(&offset).cloned().unwrap_or_else(|| key.clone());
    let letters = "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA";
    let Some(letter) = letters.chars().nth(counter % letters.len()) else { return false };
    let mut name: String = std::iter::repeat_n(letter, key.len()).collect();
    if name == key {
        name = std::iter::repeat_n('_', key.len()).collect();
    }
    text.replace_range(start..start + key.len(), &name);
    renamed.insert(offset, original);
    true
}

/// Reads a template: the text of a file handed to `templatefile`. Spans lie in `file`.
pub(crate) fn parse_template(file: FileId, text: &str) -> Result<Vec<TemplatePart>, String> {
    let template: Template = text.parse().map_err(|error: hcl_edit::parser::Error| error.message().to_owned())?;
    Ok(Reader { file, base: 0, renamed: BTreeMap::new() }.template(&template))
}

/// Reads one expression of a `.tf.json` string: a template whose spans are all `span`.
pub(crate) fn parse_template_at(span: Span, text: &str) -> Result<Vec<TemplatePart>, String> {
    // INVARIANT: spans of the parts would be offsets into the decoded JSON string, so the caller's span replaces them.
    let mut parts = parse_template(span.file, text)?;
    respan_parts(&mut parts, span);
    Ok(parts)
}

fn respan_parts(parts: &mut [TemplatePart], span: Span) {
    for part in parts {
        match part {
            TemplatePart::Literal(_) => {}
            TemplatePart::Interpolation(expr) => respan(expr, span),
            TemplatePart::If { condition, then, otherwise } => {
                respan(condition, span);
                respan_parts(then, span);
                respan_parts(otherwise, span);
            }
            TemplatePart::For { collection, body, .. } => {
                respan(collection, span);
                respan_parts(body, span);
            }
        }
    }
}

fn respan(expr: &mut Expr, span: Span) {
    expr.span = span;
    match &mut expr.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => {}
        ExprKind::Tuple(items) => items.iter_mut().for_each(|item| respan(item, span)),
        ExprKind::Object(members) => members.iter_mut().for_each(|(key, value)| {
            respan(key, span);
            respan(value, span);
        }),
        ExprKind::Template(parts) => respan_parts(parts, span),
        ExprKind::Conditional(parts) => {
            respan(&mut parts.0, span);
            respan(&mut parts.1, span);
            respan(&mut parts.2, span);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| respan(arg, span)),
        ExprKind::Traversal(base, accessors) => {
            respan(base, span);
            for accessor in accessors {
                if let Accessor::Index(index) = accessor {
                    respan(index, span);
                }
            }
        }
        ExprKind::Not(inner) | ExprKind::Negate(inner) => respan(inner, span),
        ExprKind::Binary(_, sides) => {
            respan(&mut sides.0, span);
            respan(&mut sides.1, span);
        }
        ExprKind::For(inner) => {
            respan(&mut inner.collection, span);
            respan(&mut inner.value_expr, span);
            inner.key_expr.iter_mut().chain(&mut inner.condition).for_each(|expr| respan(expr, span));
        }
    }
}

fn syntax_error(file: FileId, base: usize, text: &str, error: &hcl_edit::parser::Error) -> Diagnostic {
    let start = floor_char_boundary(text, error.location().offset().min(text.len()));
    let end = text.get(start..).and_then(|rest| rest.chars().next()).map_or(start, |c| start + c.len_utf8());
    let message = error.message().lines().last().unwrap_or("syntax error").trim();
    Diagnostic::new("terraform/syntax", Severity::Error, message, Span::new(file, base + start..base + end))
        .with_help("the block around it is left out of the review; the rest of the file is read")
}

fn floor_char_boundary(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Cuts a file where a top-level item seems to start: a line that has a letter in column 1 and a `{` or `=`.
///
/// Formatted Terraform has nothing else there but `}` and heredoc text; that is robust against unbalanced braces and quotes, which is what
/// a syntax error mostly is.
fn chunks(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if position > 0 && line.starts_with(|c: char| c.is_ascii_alphabetic()) && (line.contains('{') || line.contains('=')) {
            starts.push(position);
        }
        position += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

struct Reader {
    file: FileId,
    /// Offset of the parsed text in the file.
    base: usize,
    /// Object keys that were renamed before parsing, by their offset in the parsed text.
    renamed: BTreeMap<usize, String>,
}

impl Reader {
    fn span(&self, range: Option<Range<usize>>) -> Span {
        let range = range.unwrap_or(0..0);
        Span::new(self.file, self.base + range.start..self.base + range.end)
    }

    fn body(&self, body: &structure::Body) -> Body {
        let mut out = Body::default();
        for item in body {
            match item {
                Structure::Attribute(attribute) => out.attributes.push(Attribute {
                    name: attribute.key.as_str().into(),
                    expr: self.expr(&attribute.value),
                    span: self.span(attribute.span()),
                }),
                Structure::Block(block) => out.blocks.push(self.block(block)),
            }
        }
        out
    }

    fn block(&self, block: &structure::Block) -> Block {
        let span = self.span(block.span());
        let last = block.labels.last().and_then(|label| match label {
            structure::BlockLabel::Ident(ident) => ident.span(),
            structure::BlockLabel::String(text) => text.span(),
        });
        let end = last.or_else(|| block.ident.span()).map_or(span.end, |range| self.span(Some(range)).end);
        Block {
            kind: block.ident.as_str().into(),
            labels: block.labels.iter().map(|label| label.as_str().into()).collect(),
            body: self.body(&block.body),
            header: Span { end, ..span },
            span,
        }
    }

    fn expr(&self, expr: &Expression) -> Expr {
        let span = self.span(expr.span());
        let kind = match expr {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(*value.value()),
            Expression::Number(number) => ExprKind::Number(number.value().as_f64().unwrap_or(f64::NAN)),
            Expression::String(text) => ExprKind::Text(Text::literal(text.as_str())),
            Expression::Array(items) => ExprKind::Tuple(items.iter().map(|item| self.expr(item)).collect()),
            Expression::Object(members) => {
                ExprKind::Object(members.iter().map(|(key, value)| (self.key(key), self.expr(value.expr()))).collect())
            }
            Expression::StringTemplate(template) => self.template_kind(template),
            Expression::HeredocTemplate(heredoc) => {
                let mut kind = self.template_kind(&heredoc.template);
                unmask(&mut kind, heredoc.delimiter.as_str());
                kind
            }
            Expression::Parenthesis(inner) => return Expr { span, ..self.expr(inner.inner()) },
            Expression::Variable(name) => ExprKind::Name(name.as_str().into()),
            Expression::Conditional(conditional) => ExprKind::Conditional(Box::new((
                self.expr(&conditional.cond_expr),
                self.expr(&conditional.true_expr),
                self.expr(&conditional.false_expr),
            ))),
            Expression::FuncCall(call) => {
                let mut name = String::new();
                for scope in &call.name.namespace {
                    name.push_str(scope.as_str());
                    name.push_str("::");
                }
                name.push_str(call.name.name.as_str());
                ExprKind::Call(Box::new(Call {
                    name: name.into(),
                    args: call.args.iter().map(|arg| self.expr(arg)).collect(),
                    expand_final: call.args.expand_final(),
                }))
            }
            Expression::Traversal(traversal) => {
                let accessors = traversal.operators.iter().map(|operator| self.accessor(operator.value())).collect();
                ExprKind::Traversal(Box::new(self.expr(&traversal.expr)), accessors)
            }
            Expression::UnaryOp(operation) => {
                let inner = Box::new(self.expr(&operation.expr));
                match operation.operator.value() {
                    UnaryOperator::Neg => ExprKind::Negate(inner),
                    UnaryOperator::Not => ExprKind::Not(inner),
                }
            }
            Expression::BinaryOp(operation) => {
                let sides = Box::new((self.expr(&operation.lhs_expr), self.expr(&operation.rhs_expr)));
                ExprKind::Binary(operator(*operation.operator.value()), sides)
            }
            Expression::ForExpr(for_expr) => ExprKind::For(Box::new(For {
                key: for_expr.intro.key_var.as_ref().map(|name| name.as_str().into()),
                value: for_expr.intro.value_var.as_str().into(),
                collection: self.expr(&for_expr.intro.collection_expr),
                key_expr: for_expr.key_expr.as_ref().map(|key| self.expr(key)),
                value_expr: self.expr(&for_expr.value_expr),
                condition: for_expr.cond.as_ref().map(|condition| self.expr(&condition.expr)),
                grouping: for_expr.grouping,
            })),
        };
        Expr { kind, span }
    }

    fn key(&self, key: &ObjectKey) -> Expr {
        let range = match key {
            ObjectKey::Ident(ident) => ident.span(),
            ObjectKey::Expression(expr) => expr.span(),
        };
        if let Some(original) = range.as_ref().and_then(|range| self.renamed.get(&range.start)) {
            return Expr { kind: ExprKind::Text(Text::literal(original.as_str())), span: self.span(range) };
        }
        match key {
            ObjectKey::Ident(ident) => Expr { kind: ExprKind::Text(Text::literal(ident.as_str())), span: self.span(ident.span()) },
            ObjectKey::Expression(expr) => self.expr(expr),
        }
    }

    fn accessor(&self, operator: &TraversalOperator) -> Accessor {
        match operator {
            TraversalOperator::AttrSplat(_) => Accessor::AttributeSplat,
            TraversalOperator::FullSplat(_) => Accessor::FullSplat,
            TraversalOperator::GetAttr(name) => Accessor::Attribute(name.as_str().into()),
            TraversalOperator::Index(index) => Accessor::Index(self.expr(index)),
            TraversalOperator::LegacyIndex(index) => {
                let number = index.value().to_string().parse().unwrap_or(f64::NAN);
                Accessor::Index(Expr { kind: ExprKind::Number(number), span: self.span(index.span()) })
            }
        }
    }

    fn template_kind(&self, template: &Template) -> ExprKind {
        let mut parts = self.template(template);
        match parts.as_mut_slice() {
            [] => ExprKind::Text(Text::default()),
            [TemplatePart::Literal(text)] => ExprKind::Text(std::mem::take(text)),
            _ => ExprKind::Template(parts),
        }
    }

    fn template(&self, template: &Template) -> Vec<TemplatePart> {
        let elements: Vec<&Element> = template.iter().collect();
        let mut out = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => {
                    let before = index.checked_sub(1).and_then(|i| elements.get(i)).is_some_and(|e| strips(e).1);
                    let after = elements.get(index + 1).is_some_and(|e| strips(e).0);
                    let mut text: &str = text;
                    if before {
                        text = text.trim_start();
                    }
                    if after {
                        text = text.trim_end();
                    }
                    out.push(TemplatePart::Literal(Text::literal(text)));
                }
                Element::Interpolation(interpolation) => out.push(TemplatePart::Interpolation(self.expr(&interpolation.expr))),
                Element::Directive(directive) => out.push(self.directive(directive)),
            }
        }
        out
    }

    fn directive(&self, directive: &Directive) -> TemplatePart {
        match directive {
            Directive::If(directive) => {
                let inner_end = directive.else_expr.as_ref().map_or(directive.endif_expr.strip, |e| e.strip);
                let then = self.inner(&directive.if_expr.template, directive.if_expr.strip, inner_end);
                let otherwise =
                    directive.else_expr.as_ref().map_or_else(Vec::new, |e| self.inner(&e.template, e.strip, directive.endif_expr.strip));
                TemplatePart::If { condition: self.expr(&directive.if_expr.cond_expr), then, otherwise }
            }
            Directive::For(directive) => TemplatePart::For {
                key: directive.for_expr.key_var.as_ref().map(|name| name.as_str().into()),
                value: directive.for_expr.value_var.as_str().into(),
                collection: self.expr(&directive.for_expr.collection_expr),
                body: self.inner(&directive.for_expr.template, directive.for_expr.strip, directive.endfor_expr.strip),
            },
        }
    }

    /// The template between two marks of a directive, whose strip marks reach into it.
    fn inner(&self, template: &Template, opening: Strip, closing: Strip) -> Vec<TemplatePart> {
        let mut parts = self.template(template);
        if opening.strip_end()
            && let Some(TemplatePart::Literal(text)) = parts.first_mut()
        {
            *text = Text::from_encoded(text.encoded().trim_start());
        }
        if closing.strip_start()
            && let Some(TemplatePart::Literal(text)) = parts.last_mut()
        {
            *text = Text::from_encoded(text.encoded().trim_end());
        }
        parts
    }
}

/// Puts back the characters that were masked in a heredoc.
fn unmask(kind: &mut ExprKind, delimiter: &str) {
    let restore = |text: &mut Text| {
        if text.encoded().contains(MASK) {
            let tail = delimiter.get(1..).unwrap_or("");
            *text = Text::from_encoded(text.encoded().replace(&format!("{MASK}{tail}"), delimiter));
        }
    };
    match kind {
        ExprKind::Text(text) => restore(text),
        ExprKind::Template(parts) => {
            for part in parts {
                if let TemplatePart::Literal(text) = part {
                    restore(text);
                }
            }
        }
        _ => {}
    }
}

/// Whether an element strips the literal before it and the one after it.
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(interpolation) => (interpolation.strip.strip_start(), interpolation.strip.strip_end()),
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => (directive.if_expr.strip.strip_start(), directive.endif_expr.strip.strip_end()),
            Directive::For(directive) => (directive.for_expr.strip.strip_start(), directive.endfor_expr.strip.strip_end()),
        },
    }
}

fn operator(operator: BinaryOperator) -> Operator {
    match operator {
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::LessEq => Operator::LessOrEqual,
        BinaryOperator::GreaterEq => Operator::GreaterOrEqual,
        BinaryOperator::Less => Operator::Less,
        BinaryOperator::Greater => Operator::Greater,
        BinaryOperator::Plus => Operator::Plus,
        BinaryOperator::Minus => Operator::Minus,
        BinaryOperator::Mul => Operator::Multiply,
        BinaryOperator::Div => Operator::Divide,
        BinaryOperator::Mod => Operator::Modulo,
        BinaryOperator::And => Operator::And,
        BinaryOperator::Or => Operator::Or,
    }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::ExprKind;
    use super::parse_hcl;
    use bartizan_model::FileId;

    #[test]
    fn a_broken_block_does_not_lose_the_others() {
        let text =
            "resource \"a\" \"one\" {\n  x = 1\n}\n\nresource \"a\" \"two\" {\n  x = = 2\n}\n\nresource \"a\" \"three\" {\n  x = 3\n}\n";
        let (body, diagnostics) = parse_hcl(FileId(0), text);
        let names: Vec<_> = body.blocks.iter().filter_map(|block| block.label(1)).collect();
        assert_eq!(names, ["one", "three"]);
        assert_eq!(diagnostics.len(), 1);
        let span = diagnostics[0].span.unwrap();
        assert_eq!(text[..span.start as usize].lines().count(), 6);
    }

    #[test]
    fn what_terraform_accepts_is_read() {
        let text = "locals {\n  a = { k = 1, b = 2, k = 3 }\n  t = <<EOF\nsqlplus << EOF\nexit\nEOF\"\nend\nEOF\n}\n";
        let (body, diagnostics) = parse_hcl(FileId(0), text);
        assert_eq!(diagnostics, []);
        let ExprKind::Object(members) = &body.blocks[0].body.attributes[0].expr.kind else { panic!("no object") };
        let keys: Vec<_> = members.iter().map(|(key, _)| &text[key.span.start as usize..key.span.end as usize]).collect();
        assert_eq!(keys, ["k", "b", "k"]);
        assert!(members.iter().filter(|(key, _)| matches!(&key.kind, ExprKind::Text(t) if t.encoded() == "k")).count() == 2);
        let ExprKind::Text(heredoc) = &body.blocks[0].body.attributes[1].expr.kind else { panic!("no heredoc") };
        assert_eq!(heredoc.encoded(), "sqlplus << EOF\nexit\nEOF\"\nend\n");
    }

    #[test]
    fn headers_end_at_the_last_label() {
        let text = "resource \"aws_s3_bucket\" \"b\" {\n}\n";
        // Also where the file is read piece by piece, or starts with a byte order mark.
        for before in ["", "\u{feff}", "broken = =\n"] {
            let text = format!("{before}{text}");
            let (body, _) = parse_hcl(FileId(0), &text);
            let header = body.blocks[0].header;
            assert_eq!(&text[header.start as usize..header.end as usize], "resource \"aws_s3_bucket\" \"b\"");
        }
    }
}
