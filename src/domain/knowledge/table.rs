//! Knowledge and typed facts written as a table (CSV, RFC 4180), with commas or, as spreadsheets here write it, semicolons.
//!
//! The first line names the columns, in Portuguese or English, in any order. Unknown columns are an error: what is in them
//! would be lost without a word.

use super::facts::{Fact, FactKind, parse_duration, parse_price};
use super::{Draft, LineError, Parsed, Validity, day};
use crate::domain::text::fold::fold;

/// A row: the line it begins in, and its cells.
type Row = (usize, Vec<String>);

/// Columns of knowledge, with the names they go by.
const ENTRY_COLUMNS: [(&str, &[&str]); 4] = [
    ("title", &["title", "titulo", "pergunta", "assunto"]),
    ("text", &["text", "texto", "resposta", "conteudo"]),
    ("valid_from", &["valid_from", "valido_de", "de", "inicio"]),
    ("valid_to", &["valid_to", "valido_ate", "ate", "fim"]),
];

/// Columns of facts, with the names they go by.
const FACT_COLUMNS: [(&str, &[&str]); 8] = [
    ("kind", &["kind", "tipo"]),
    ("name", &["name", "nome", "servico", "produto"]),
    ("text", &["text", "texto", "descricao", "valor_texto"]),
    ("price", &["price", "preco", "valor"]),
    ("currency", &["currency", "moeda"]),
    ("duration", &["duration", "duracao", "tempo"]),
    ("capacity", &["capacity", "vagas", "capacidade"]),
    ("active", &["active", "ativo"]),
];

/// Reads a table of entries. Columns: title, text, and perhaps valid_from, valid_to.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn entries(content: &str) -> Parsed<(usize, Draft)> {
    let (mut drafts, mut errors) = (Vec::new(), Vec::new());
    let table = Table::read(content, &ENTRY_COLUMNS, &["title", "text"])?;
    for row in &table.rows {
        match entry(&table, row) {
            Ok(draft) => drafts.push((row.0, draft)),
            Err(problem) => errors.push(LineError::new(row.0, problem)),
        }
    }
    super::markdown::twice(&drafts, &mut errors);
    if errors.is_empty() { Ok(drafts) } else { Err(errors) }
}

fn entry(table: &Table<'_>, row: &Row) -> Result<Draft, String> {
    let date = |column| table.filled(row, column).map(day).transpose();
    Draft {
        title: table.cell(row, "title").to_owned(),
        body: table.cell(row, "text").to_owned(),
        validity: Validity { from: date("valid_from")?, to: date("valid_to")? },
    }
    .checked()
}

/// Reads a table of facts. Columns: name, and perhaps kind (else service), text, price, currency, duration, capacity,
/// active.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub fn facts(content: &str) -> Parsed<(usize, Fact)> {
    let (mut facts, mut errors): (Vec<(usize, Fact)>, Vec<LineError>) = (Vec::new(), Vec::new());
    let table = Table::read(content, &FACT_COLUMNS, &["name"])?;
    for row in &table.rows {
        match fact(&table, row) {
            Ok(fact) => {
                let same = |(_, other): &&(usize, Fact)| {
                    other.kind == fact.kind && other.name.to_lowercase() == fact.name.to_lowercase()
                };
                if let Some((before, _)) = facts.iter().find(same) {
                    errors.push(LineError::new(row.0, format!("{:?} stands in line {before} already", fact.name)));
                }
                facts.push((row.0, fact));
            }
            Err(problem) => errors.push(LineError::new(row.0, problem)),
        }
    }
    if errors.is_empty() { Ok(facts) } else { Err(errors) }
}

fn fact(table: &Table<'_>, row: &Row) -> Result<Fact, String> {
    let kind = match table.filled(row, "kind") {
        None => FactKind::Service,
        Some(text) => FactKind::parse(text).ok_or_else(|| {
            let kinds: Vec<&str> = FactKind::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("{text:?} is no kind; write one of {}", kinds.join(", "))
        })?,
    };
    let price = table.filled(row, "price").map(parse_price).transpose()?;
    let capacity = table.filled(row, "capacity").map(|text| text.parse().map_err(|_| format!("{text:?} is no number")));
    Fact {
        text: table.cell(row, "text").to_owned(),
        price_cents: price.map(|(cents, _)| cents),
        price_from: price.is_some_and(|(_, from)| from),
        currency: table.filled(row, "currency").unwrap_or("BRL").to_uppercase(),
        duration_min: table.filled(row, "duration").map(parse_duration).transpose()?,
        capacity: capacity.transpose()?.unwrap_or(1),
        active: table.filled(row, "active").map_or(Ok(true), yes)?,
        ..Fact::new(kind, table.cell(row, "name"))
    }
    .checked()
}

fn yes(text: &str) -> Result<bool, String> {
    match fold(text).as_str() {
        "sim" | "s" | "yes" | "true" | "1" | "x" => Ok(true),
        "nao" | "n" | "no" | "false" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither sim nor não")),
    }
}

struct Table<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Row>,
}

impl<'a> Table<'a> {
    fn read(content: &str, known: &'a [(&'a str, &'a [&'a str])], needed: &[&str]) -> Result<Self, Vec<LineError>> {
        let mut rows = rows(content.trim_start_matches('\u{FEFF}')).map_err(|error| vec![error])?;
        rows.retain(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
        let mut rows = rows.into_iter();
        let Some((line, names)) = rows.next() else {
            return Err(vec![LineError::new(1, "there is nothing in it: write a first line with the columns' names")]);
        };
        let all: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let (mut columns, mut errors) = (Vec::new(), Vec::new());
        for name in &names {
            let folded = fold(name).replace([' ', '-'], "_");
            match known.iter().find(|(_, spellings)| spellings.contains(&folded.as_str())) {
                Some((column, _)) if columns.contains(column) => {
                    errors.push(LineError::new(line, format!("the column {column} stands twice")));
                }
                Some((column, _)) => columns.push(*column),
                None => {
                    let problem = format!("there is no column {name:?}; write of {}", all.join(", "));
                    errors.push(LineError::new(line, problem));
                }
            }
        }
        for column in needed.iter().filter(|column| !columns.contains(column)) {
            errors.push(LineError::new(line, format!("the column {column} is missing")));
        }
        let rows: Vec<Row> = rows.collect();
        for (line, cells) in rows.iter().filter(|(_, cells)| cells.len() != names.len()) {
            let problem = format!("{} cells, but {} columns: quote texts with separators", cells.len(), names.len());
            errors.push(LineError::new(*line, problem));
        }
        if errors.is_empty() && rows.is_empty() {
            errors.push(LineError::new(line, "there are no rows below the columns' names"));
        }
        if errors.is_empty() { Ok(Self { columns, rows }) } else { Err(errors) }
    }

    fn cell<'r>(&self, row: &'r Row, column: &str) -> &'r str {
        let at = self.columns.iter().position(|name| *name == column);
        at.and_then(|at| row.1.get(at)).map(String::as_str).unwrap_or_default()
    }

    fn filled<'r>(&self, row: &'r Row, column: &str) -> Option<&'r str> {
        Some(self.cell(row, column)).filter(|cell| !cell.is_empty())
    }
}

/// Rows of cells, outer blanks gone. Quoted cells may hold separators, line breaks and doubled quotes.
fn rows(content: &str) -> Result<Vec<Row>, LineError> {
    let first = content.lines().next().unwrap_or_default();
    let separator = [';', ',', '\t'].into_iter().max_by_key(|c| first.matches(*c).count()).unwrap_or(',');
    let (mut rows, mut row, mut cell): (Vec<Row>, Vec<String>, String) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begun, mut quoted) = (1, 1, None);
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted.is_some() && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted.is_some() => quoted = None,
            _ if quoted.is_some() => cell.push(c),
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = Some(line);
            }
            '\n' => {
                row.push(std::mem::take(&mut cell).trim().to_owned());
                rows.push((begun, std::mem::take(&mut row)));
                begun = line;
            }
            _ if c == separator => row.push(std::mem::take(&mut cell).trim().to_owned()),
            _ => cell.push(c),
        }
    }
    if let Some(line) = quoted {
        return Err(LineError::new(line, "a quote is opened here and never closed"));
    }
    row.push(cell.trim().to_owned());
    rows.push((begun, row));
    Ok(rows)
}
