//! Learns how likely each intent is from files of our own sentences, and tells how well that does on sentences held back.
//!
//! `train_intent FILE... --write config/models/intent.txt`. A line of a file: intent | what was said before | text.
//! `FILE!` is a file the rules were fitted to: what they say of it is not to be learned from. `--folds N` measures
//! instead: a line for each sentence and where rules and weights stand, the sums at the end.

use std::io::Write;
use std::process::ExitCode;

use secretaria::domain::conversation::intent::cues::Cues;
use secretaria::domain::conversation::intent::likelihood::{BUCKETS, Weights, features};
use secretaria::domain::conversation::intent::{Context, Intent, by_rules};

mod learning;

use learning::{Model, Sample};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut samples, mut folds, mut target) = (Vec::new(), None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--folds" {
            folds = arguments.next().and_then(|count| count.parse().ok());
            continue;
        }
        if argument == "--write" {
            target = arguments.next();
            continue;
        }
        let (path, fitted) = argument.strip_suffix('!').map_or((argument.as_str(), false), |path| (path, true));
        let content = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        for (index, line) in content.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
            samples.push(sample(line, fitted).ok_or_else(|| format!("{path}, line {}: {line}", index + 1))?);
        }
    }
    if samples.is_empty() {
        return Err("no sentences: name the files to learn from".to_owned());
    }
    if let Some(folds) = folds {
        let told = measured(&samples, folds);
        return std::io::stdout()
            .lock()
            .write_all(told.as_bytes())
            .map_err(|error| format!("standard output: {error}"));
    }
    let target = target.ok_or_else(|| "where to: --write FILE, or --folds N to measure".to_owned())?;
    let model = Model::learned(&samples.iter().collect::<Vec<_>>());
    let columns: Vec<(Intent, Vec<f32>)> =
        Intent::ALL.iter().enumerate().map(|(at, intent)| (*intent, model.column(at))).collect();
    std::fs::write(&target, Weights::written(&columns)).map_err(|error| format!("{target}: {error}"))
}

fn sample(line: &str, fitted: bool) -> Option<Sample> {
    let mut parts = line.splitn(3, '|');
    let (label, context, text) = (parts.next()?, Context::from_name(parts.next()?)?, parts.next()?);
    let label = Intent::ALL.iter().position(|intent| intent.label() == label)?;
    let cues = Cues::of(text);
    let ruled = by_rules(&cues, context);
    let places = features(&cues, context, (!fitted).then_some(ruled));
    let asked = features(&cues, context, Some(ruled));
    let ruled = Intent::ALL.iter().position(|intent| *intent == ruled)?;
    Some(Sample { line: line.to_owned(), label, ruled, fitted, places, asked })
}

/// What rules and weights make of sentences that were held back, and of both which is right how often where they differ.
fn measured(samples: &[Sample], folds: usize) -> String {
    let (mut rules, mut weights, mut count) = (0_u32, 0_u32, 0_u32);
    let mut told = String::new();
    for fold in 0..folds.max(2) {
        let held = |sample: &Sample| learning::mixed(&sample.line) % folds.max(2) == fold;
        let model = Model::learned(&samples.iter().filter(|sample| !held(sample)).collect::<Vec<_>>());
        for sample in samples.iter().filter(|sample| held(sample) && !sample.fitted) {
            let (label, probability) = model.best(&sample.asked);
            count += 1;
            rules += u32::from(sample.ruled == sample.label);
            weights += u32::from(label == sample.label);
            let name = |at: usize| Intent::ALL.get(at).map_or("", |intent| intent.label());
            told.push_str(&format!(
                "{} {} {} {probability:.2} {}\n",
                name(sample.label),
                name(sample.ruled),
                name(label),
                sample.line
            ));
        }
    }
    format!("{told}# {count} sentences, rules right {rules}, weights right {weights}; {BUCKETS} places\n")
}
