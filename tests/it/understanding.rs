//! What a message wants, its mood, how urgent it is, and whether somebody wants to be left alone or wants a person.

use proptest::prelude::*;
use secretaria::domain::conversation::intent::cues::Cues;
use secretaria::domain::conversation::intent::{Context, Intent, likelihood, read};
use secretaria::domain::conversation::opt_out::OptChange;
use secretaria::domain::conversation::sentiment::Mood;
use secretaria::domain::conversation::urgency::Urgency;
use secretaria::domain::conversation::{feedback, handoff, intent, opt_out, sentiment, urgency};
use secretaria::domain::text::fold::fold;
use secretaria::domain::text::phrases::Phrases;
use secretaria::domain::text::sound::{sound, without_ending};
use secretaria::domain::text::stem::stem;
use secretaria::domain::text::tokens::{Kind, tokens};
use secretaria::domain::text::{TEXT_MAX_CHARS, abbreviations};
use unicode_normalization::UnicodeNormalization;

/// One message a line: what it wants | what was said before | the text.
const MESSAGES: &str = include_str!("understanding/messages.txt");
const CONTEXTS: [Context; 5] = [Context::None, Context::Options, Context::Recap, Context::Reminder, Context::Followup];

/// The same, of sentences that neither rules nor weights were made from.
const HELD_OUT: &str = include_str!("understanding/held_out.txt");
const LEARNED: &str = include_str!("understanding/learned.txt");

fn messages() -> impl Iterator<Item = (&'static str, Context, &'static str)> {
    lines_of(MESSAGES)
}

fn lines_of(file: &'static str) -> impl Iterator<Item = (&'static str, Context, &'static str)> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let parts: Vec<&str> = line.splitn(3, '|').collect();
        (parts[0], Context::from_name(parts[1]).expect("a known context"), parts[2])
    })
}

#[test]
fn the_word_lists_can_be_read_and_are_complete() {
    assert_eq!(abbreviations::check(), Ok(()));
    assert_eq!(intent::cues::check(), Ok(()));
    assert_eq!(sentiment::check(), Ok(()));
    assert_eq!(urgency::check(), Ok(()));
    assert_eq!(feedback::check(), Ok(()));
}

#[test]
fn a_mistake_in_a_word_list_is_told_with_its_line() {
    for (content, line) in [
        ("[a]\nquero\n? marcar", 3),
        ("quero", 1),
        ("[a\nquero", 1),
        ("[a]\nquero @lista", 2),
        ("[a]\n.. quero", 2),
        ("@lista = bom dia, oi\n[a]\noi", 1),
        ("[a]\nquero?", 2),
    ] {
        let error = Phrases::parse("lista.txt", content).expect_err(content);
        assert_eq!((error.file, error.line), ("lista.txt", line), "{content:?}: {error}");
    }
    let error = Phrases::parse_with("lista.txt", "[a]\noi", &["a", "b"]).unwrap_err();
    assert!(error.to_string().contains("[b]"), "{error}");
    assert!(abbreviations::parse("vc = você\nvc = vocês").is_err());
}

#[test]
fn messages_are_read_in_their_context() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (expected, context, text) in messages() {
        let read = read(text, context).label();
        count += 1;
        if read != expected {
            wrong.push(format!("{text:?} ({context:?}): {read}, not {expected}"));
        }
    }
    assert!(count > 800, "{count} messages");
    assert!(wrong.len() * 100 <= count, "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn messages_nobody_prepared_for_are_understood() {
    let (mut wrong, mut alarms, mut count, mut others) = (Vec::new(), Vec::new(), 0, 0);
    for (expected, context, text) in lines_of(HELD_OUT) {
        let read = read(text, context).label();
        count += 1;
        others += usize::from(!expected.starts_with("appointment"));
        if read != expected {
            wrong.push(format!("{text:?} ({context:?}): {read}, not {expected}"));
            if read.starts_with("appointment") && !expected.starts_with("appointment") {
                alarms.push(text);
            }
        }
    }
    assert!(count > 400, "{count} messages");
    assert!(wrong.len() * 100 <= count * 7, "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(alarms.len() * 100 <= others, "taken for appointments: {alarms:?}");
}

#[test]
fn what_is_held_out_was_not_learned() {
    let key = |(_, context, text): (&str, Context, &str)| (context as u8, fold(text));
    let learned: std::collections::HashSet<_> = lines_of(LEARNED).chain(messages()).map(key).collect();
    let known: Vec<_> = lines_of(HELD_OUT).map(key).filter(|line| learned.contains(line)).collect();
    assert!(learned.len() > 3_000);
    assert!(known.is_empty(), "{known:?}");
}

#[test]
fn a_broken_file_of_weights_is_told() {
    assert_eq!(likelihood::check(), Ok(()));
    let whole = include_str!("../../config/models/intent.txt");
    let parsed = |file: &str| likelihood::Weights::parse(file).map(drop);
    assert_eq!(parsed(&whole.replacen('1', "2", 1)), Err(likelihood::WeightsError::Version));
    let columns: Vec<&str> = whole.lines().collect();
    let last = columns.len();
    let cut = whole.trim_end().strip_suffix(|_: char| true).expect("not empty");
    assert_eq!(parsed(cut), Err(likelihood::WeightsError::Line(last)));
    assert!(parsed(&whole.replacen("greeting ", "gossip ", 1)).is_err(), "an intent there is not");
}

#[test]
fn nobody_is_silenced_cancelled_or_confirmed_by_mistake() {
    let dear = [Intent::OptOut, Intent::AppointmentCancel, Intent::ConfirmPresence, Intent::Affirm];
    for (expected, context, text) in messages() {
        let read = read(text, context);
        assert!(!dear.contains(&read) || read.label() == expected, "{text:?} ({context:?}) is read as {read:?}");
    }
}

#[test]
fn the_same_yes_means_what_was_asked() {
    for yes in ["sim", "Sim!", "s", "ok", "👍", "claro", "siiiim", "SIM"] {
        assert_eq!(read(yes, Context::Recap), Intent::Affirm, "{yes}");
        assert_eq!(read(yes, Context::Reminder), Intent::ConfirmPresence, "{yes}");
        assert_eq!(read(yes, Context::Followup), Intent::FollowUpPositive, "{yes}");
    }
    for no in ["não", "NAO", "n", "naaao"] {
        assert_eq!(read(no, Context::Recap), Intent::Deny, "{no}");
        assert_eq!(read(no, Context::Followup), Intent::FollowUpNegative, "{no}");
    }
}

#[test]
fn spelling_by_ear_and_short_forms_are_understood() {
    for text in ["qro marcá um orario", "queru agenda uma concuta", "kero marcar hr amnh", "QUERO MARCAAAR HORÁRIO"] {
        assert_eq!(read(text, Context::None), Intent::AppointmentRequest, "{text}");
    }
    for text in ["dezmarca minha consuta", "cansela meu orário pfv", "desmarka pra mim"] {
        assert_eq!(read(text, Context::None), Intent::AppointmentCancel, "{text}");
    }
    assert_eq!(read("remarka pra sesta", Context::None), Intent::AppointmentReschedule);
}

#[test]
fn who_wants_no_messages_is_left_alone_and_only_they() {
    for text in [
        "SAIR",
        "sair",
        "Parar",
        "pare!",
        "STOP",
        "não quero mais receber mensagens",
        "n quero receber mais nada",
        "para de me mandar propaganda",
        "me tira da lista",
        "apaguem meus dados",
        "descadastrar",
        "quero sair do grupo",
    ] {
        for context in CONTEXTS {
            assert_eq!(read(text, context), Intent::OptOut, "{text} ({context:?})");
        }
        assert_eq!(opt_out::read(text), Some(OptChange::Out), "{text}");
    }
    for text in [
        "quero sair mais cedo na sexta",
        "quero parar de fumar",
        "posso sair às 15?",
        "vou parar o tratamento",
        "parar de roer unha",
        "não quero mais ir na consulta",
        "cancela minha consulta",
        "saio às 18h",
        "me tira uma dúvida",
        "não quero receber alta ainda",
        "meu carro não quer parar",
        "quero sair de lá linda",
    ] {
        assert_eq!(opt_out::read(text), None, "{text}");
    }
    for text in ["VOLTAR", "voltar", "quero voltar a receber os avisos"] {
        assert_eq!(opt_out::read(text), Some(OptChange::In), "{text}");
    }
    for text in ["posso voltar amanhã?", "voltarei sexta", "quero voltar pra escova"] {
        assert_eq!(opt_out::read(text), None, "{text}");
    }
}

#[test]
fn who_asks_for_a_person_gets_one() {
    for text in [
        "quero falar com um atendente",
        "tem algum humano aí?",
        "me passa pra uma pessoa de verdade",
        "atendente",
        "não quero falar com robô",
        "pode me ligar?",
    ] {
        assert!(handoff::wanted(text), "{text}");
        assert_eq!(read(text, Context::Options), Intent::HumanHandoff, "{text}");
    }
    for text in ["quero marcar com a doutora", "queria falar sobre o preço", "oi", "quero agendar uma reunião"] {
        assert!(!handoff::wanted(text), "{text}");
    }
}

#[test]
fn moods_are_seen_through_negation_and_turns() {
    let score = |text: &str| sentiment::read(text).score;
    for text in
        ["amei!", "muito bom o atendimento", "ficou perfeito 😍", "não foi nada ruim, adorei", "🥰", "obrigada :)"]
    {
        assert_eq!(sentiment::read(text).mood, Mood::Positive, "{text}: {}", score(text));
    }
    for text in
        ["péssimo", "não gostei", "que absurdo!", "não é bom", "era bom mas ficou horrível", "😡", "que merda :("]
    {
        assert_eq!(sentiment::read(text).mood, Mood::Negative, "{text}: {}", score(text));
    }
    for text in ["quero marcar para terça", "qual o endereço?", "às 15h", "", "sem problema algum com a data"] {
        assert_ne!(sentiment::read(text).mood, Mood::Negative, "{text}: {}", score(text));
    }
    assert!(score("muito bom") > score("bom"));
    assert!(score("meio ruim") > score("ruim"));
    assert!(score("muito ruim") < score("ruim"));
    assert!(score("bom, mas caro demais e demorado") < score("caro demais e demorado, mas bom"));
}

#[test]
fn grades_and_verdicts_are_feedback() {
    for text in
        ["nota 10", "9/10", "5 estrelas", "⭐⭐⭐⭐⭐", "4 de 5", "10", "super recomendo", "foi tudo ótimo", "👍"]
    {
        assert_eq!(feedback::read(text), Mood::Positive, "{text}");
    }
    for text in ["nota 3", "2/10", "1 estrela", "⭐", "não volto mais", "demorou demais", "não recomendo", "👎"] {
        assert_eq!(feedback::read(text), Mood::Negative, "{text}");
    }
    assert_eq!(feedback::read("nota 6"), Mood::Neutral);
    assert_eq!(feedback::read("fui na quinta"), Mood::Neutral);
}

#[test]
fn danger_and_haste_are_told_from_plain_words() {
    for text in ["meu cachorro não está respirando", "dor no peito forte", "ele desmaiou aqui", "quero morrer"] {
        assert_eq!(urgency::read(text), Urgency::Emergency, "{text}");
    }
    for text in ["é urgente!!", "tô morrendo de dor de dente", "o mais rápido possível", "preciso disso hoje sem falta"]
    {
        assert_eq!(urgency::read(text), Urgency::Urgent, "{text}");
    }
    for text in ["não é urgente", "sem pressa", "atendem emergência?", "quero marcar limpeza", "não tenho dor"] {
        assert_eq!(urgency::read(text), Urgency::None, "{text}");
    }
}

#[test]
fn texts_are_folded_and_cut_into_words() {
    assert_eq!(fold("Não AGUENTOOOO mais, ação!"), "nao aguento mais, acao!");
    let kinds: Vec<(String, Kind)> =
        tokens("vc pode 15h30, dia 05/12?").into_iter().map(|token| (token.text, token.kind)).collect();
    assert_eq!(kinds[0], ("voce".to_owned(), Kind::Word));
    assert_eq!(kinds[2], ("15h30".to_owned(), Kind::Clock));
    assert_eq!(kinds[5], ("05/12".to_owned(), Kind::Date));
    for words in [["marcar", "marcando"], ["consulta", "consultas"], ["agendamos", "agendaram"], ["pagar", "paguei"]] {
        assert_eq!(stem(words[0]), stem(words[1]), "{words:?}");
    }
    for [heard, meant] in
        [["orario", "horario"], ["dezmarcar", "desmarcar"], ["dinhero", "dinheiro"], ["faze", "fazer"]]
    {
        assert_eq!(without_ending(&sound(heard)), without_ending(&sound(meant)), "{heard}");
    }
}

/// Letters that are folded without the tables of Unicode come out as those would have them.
#[test]
fn quick_ways_of_folding_agree_with_unicode() {
    for syllable in ('\u{AC00}'..='\u{D7A3}').map(String::from) {
        assert_eq!(fold(&syllable), syllable.nfkd().collect::<String>());
    }
    for letter in "áàâãéêíóôõúüçÁÀÂÃÉÊÍÓÔÕÚÜÇ".chars() {
        let bare = letter.to_lowercase().nfkd().find(char::is_ascii_lowercase);
        assert_eq!(fold(&letter.to_string()).chars().next(), bare, "{letter}");
        assert_eq!(fold(&letter.to_string()).chars().count(), 1, "{letter}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading(text in "\\PC{0,200}", lines in "[a-zãé .!?,\n😀👍⭐:()@#*/0-9]{0,300}") {
        for text in [text.as_str(), lines.as_str()] {
            let cues = Cues::of(text);
            for context in CONTEXTS {
                prop_assert_eq!(intent::decide(&cues, context), read(text, context));
            }
            prop_assert!(sentiment::read(text).score.abs() <= 1.0);
            feedback::read(text);
            urgency::read(text);
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more(text in "\\PC{0,100}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn case_and_accents_do_not_matter(at in 0..messages().count()) {
        let (_, context, text) = messages().nth(at).expect("within the list");
        prop_assert_eq!(read(&text.to_uppercase(), context), read(text, context));
        prop_assert_eq!(read(&fold(text), context), read(text, context));
    }
}

#[test]
fn hostile_texts_are_read_to_the_end() {
    let long = |piece: &str| piece.chars().cycle().take(TEXT_MAX_CHARS).collect::<String>();
    for piece in ["não ", "quero ver se pode ", "a", "😀", ".", "\u{FDFA}", "1", "15h30 ", ":) ", "a\u{301}"] {
        let text = long(piece);
        for context in CONTEXTS {
            read(&text, context);
        }
        assert!(sentiment::read(&text).score.abs() <= 1.0);
        assert_ne!(opt_out::read(&text), Some(OptChange::In));
    }
}
