//! Sentences with expressions in braces: "`{name}` allows {facts.public_actions}".

use super::{Expression, ExpressionError, Scope, Vocabulary};

/// A checked sentence.
#[derive(Clone, Debug)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Words(String),
    Value(Expression),
}

impl Template {
    /// Parses and checks a sentence; `{{` and `}}` stand for braces.
    pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<Self, ExpressionError> {
        let mut pieces = Vec::new();
        let mut words = String::new();
        let mut rest = source;
        while let Some(found) = rest.find(['{', '}']) {
            let offset = source.len() - rest.len() + found;
            words.push_str(rest.get(..found).unwrap_or_default());
            let from_brace = rest.get(found..).unwrap_or_default();
            if from_brace.starts_with("{{") || from_brace.starts_with("}}") {
                words.push_str(from_brace.get(..1).unwrap_or_default());
                rest = from_brace.get(2..).unwrap_or_default();
                continue;
            }
            let inside = from_brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let Some((inside, after)) = inside else {
                return Err(ExpressionError { message: "a brace has no partner; a plain brace is written twice".to_owned(), offset });
            };
            let expression =
                Expression::compile(inside, vocabulary).map_err(|error| ExpressionError { offset: offset + 1 + error.offset, ..error })?;
            pieces.push(Piece::Words(std::mem::take(&mut words)));
            pieces.push(Piece::Value(expression));
            rest = after;
        }
        words.push_str(rest);
        pieces.push(Piece::Words(words));
        Ok(Self(pieces))
    }

    /// The sentence with its values; what cannot be evaluated shows as `?`.
    pub fn fill(&self, scope: &dyn Scope) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Value(expression) => match expression.evaluate(scope) {
                    Ok(operand) => out.push_str(&operand.display()),
                    Err(_) => out.push('?'),
                },
            }
        }
        out
    }
}
