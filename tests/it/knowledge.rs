//! What a company told us: files read, facts written, questions answered from it, and nothing found where nothing is.

use chrono::NaiveDate;
use proptest::prelude::*;
use secretaria::domain::embedding::{Embedding, Space};
use secretaria::domain::knowledge::facts::{Fact, FactKind, duration, parse_duration, parse_price, price};
use secretaria::domain::knowledge::index::{Budget, Found, Index, Question};
use secretaria::domain::knowledge::{Draft, Validity, markdown, table};
use secretaria::domain::text::{hashing, stopwords, synonyms};

const CLINIC: &str = "# Perguntas da Clínica Sorriso

## Estacionamento
Temos convênio com o estacionamento da Rua das Acácias, 130: a primeira hora é por nossa conta.

## Convênios
### Quais aceitamos
Atendemos Amil, Bradesco Dental e Odontoprev. Para os demais damos recibo para reembolso.

## Formas de pagamento
Pix, dinheiro e cartão em até 6 vezes sem juros.

## Primeira consulta
Traga documento com foto e exames recentes, se tiver. A avaliação leva meia hora.

## Recesso de fim de ano
Válido de 21/12/2026 até 04/01/2027
Estaremos fechados de 24 de dezembro a 1º de janeiro.

## Crianças
Atendemos crianças a partir de 3 anos; a Dra. Lia é odontopediatra.

## Depois do clareamento
Evite café, vinho e molho de tomate por 48 horas.

## Wi-Fi
A rede é Sorriso-Visitante e a senha está na recepção.
";

const SERVICES: &str = "tipo;nome;preço;duração;texto
serviço;Limpeza;R$ 180,00;40 min;
serviço;Clareamento;R$ 890,00;1h30;em duas sessões
serviço;Canal;a partir de R$ 750,00;;
serviço;Avaliação;grátis;30 min;
profissional;Dra. Lia Prado;;;odontopediatra
horário;Horário;;;segunda a sexta, das 8h às 18h; sábado, das 8h às 12h
endereço;Endereço;;;Rua das Acácias, 120, Vila Mariana
";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn clinic() -> Index {
    let drafts = markdown::parse(CLINIC).unwrap();
    let services = SERVICES.replace("sexta, das 8h às 18h; sábado", "sexta, das 8h às 18h, e sábado");
    let facts = table::facts(&services).unwrap();
    Index::new(drafts.iter().map(|(_, draft)| (draft, None)), facts.iter().map(|(_, fact)| fact))
}

fn ask(index: &Index, text: &str) -> Found {
    ask_on(index, text, "2026-11-25")
}

fn ask_on(index: &Index, text: &str, today: &str) -> Found {
    index.search(Question { text, embedding: None, today: day(today) }, Budget::default())
}

#[test]
fn the_lists_that_are_built_in_can_be_read() {
    stopwords::check().unwrap();
    synonyms::check().unwrap();
    assert!(stopwords::is_stop_word("voces") && stopwords::is_stop_word("x") && !stopwords::is_stop_word("limpeza"));
    assert!(stopwords::parse("bom dia\n1a").unwrap_err().to_string().contains("line 2"));
    assert!(synonyms::Synonyms::parse("só").unwrap_err().to_string().contains("two"));
    assert!(synonyms::of("estacion").any(|other| other == "vag"));
}

#[test]
fn hashing_gives_the_same_numbers_for_ever() {
    let golden = |text: &str| {
        let numbers = hashing::embed(text);
        assert_eq!(numbers.len(), hashing::DIMENSION);
        let told = numbers.iter().enumerate().filter(|(_, n)| **n != 0.0);
        told.map(|(at, n)| (at, (f64::from(*n) * 10_000.0).round() as i32)).collect::<Vec<_>>()
    };
    assert_eq!(golden("pix"), GOLDEN_PIX);
    assert_eq!(golden("Quanto custa a limpeza de pele?"), GOLDEN_SKIN);
    assert_eq!(golden("bom dia, tudo bem?"), []);
}

// Reckoned apart from the program, by what the module says of itself.
const GOLDEN_PIX: [(usize, i32); 1] = [(92, 10_000)];
const GOLDEN_SKIN: [(usize, i32); 9] =
    [(6, 6172), (8, -3086), (84, -1543), (88, -6172), (108, 1543), (142, 1543), (177, 1543), (201, 1543), (250, 1543)];

#[test]
fn what_is_alike_is_nearer_than_what_is_not() {
    let likeness = |one, two| {
        let (one, two) = (Embedding::hashed(one).unwrap(), Embedding::hashed(two).unwrap());
        one.likeness(&two).unwrap()
    };
    let same = likeness("Limpeza de pele", "limpeza de PELE!!");
    assert!((same - 1.0).abs() < 1e-5, "{same}");
    assert!(likeness("marcar uma limpeza de pele", "quero agendar limpeza") > 0.3);
    assert!(likeness("estacionar", "estacionamento") > 0.9);
    assert!(likeness("clareamento", "clareamneto") > 0.1, "a slip of the finger");
    assert!(likeness("limpeza de pele", "formas de pagamento").abs() < 0.2);
}

#[test]
fn numbers_of_two_spaces_are_never_compared() {
    let space = |provider: &str, model: &str| Space { provider: provider.into(), model: model.into(), dimension: 2 };
    let made = |provider, model| Embedding::new(space(provider, model), vec![3.0, 4.0]).unwrap();
    let one = made("openai", "text-embedding-3-small");
    assert_eq!(one.numbers(), [0.6, 0.8]);
    assert_eq!(one.likeness(&made("openai", "text-embedding-3-large")), None);
    assert_eq!(one.likeness(&made("gemini", "text-embedding-3-small")), None);
    assert!(one.likeness(&made("openai", "text-embedding-3-small")).is_some_and(|n| (n - 1.0).abs() < 1e-6));
    assert!(!one.is_near(&made("gemini", "x")) && !one.touches(&made("gemini", "x")));
    let wrong = [vec![1.0], vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]];
    assert!(wrong.into_iter().all(|numbers| Embedding::new(space("openai", "x"), numbers).is_none()));
}

#[test]
fn questions_are_answered_from_what_the_company_wrote() {
    let index = clinic();
    let cases = [
        ("vocês têm estacionamento?", "Estacionamento:"),
        ("Oi, bom dia! Tem onde parar o carro?", "Estacionamento:"),
        ("onde posso estacionar", "Estacionamento:"),
        ("tem estasionamento ai", "Estacionamento:"),
        ("vcs aceitam convenio amil?", "Convênios – Quais aceitamos:"),
        ("meu plano é bradesco, atende?", "Convênios – Quais aceitamos:"),
        ("posso parcelar no cartão?", "Formas de pagamento:"),
        ("da pra pagar com pix", "Formas de pagamento:"),
        ("o que preciso levar na primeira consulta?", "Primeira consulta:"),
        ("meu filho tem 4 anos, vocês atendem crianças?", "Crianças:"),
        ("posso tomar café depois do clareamento?", "Depois do clareamento:"),
        ("qual a senha do wifi?", "Wi-Fi:"),
        (
            "Oi! Vou com minha mãe, que anda com muita dificuldade e usa bengala, então queria saber do estacionamento de vocês",
            "Estacionamento:",
        ),
    ];
    for (question, title) in cases {
        let found = ask(&index, question);
        assert!(found.found, "{question}");
        assert!(found.entries.first().is_some_and(|entry| entry.starts_with(title)), "{question}: {:?}", found.entries);
    }
}

#[test]
fn prices_people_hours_and_places_are_found_as_facts() {
    let index = clinic();
    let cases = [
        ("quanto custa a limpeza?", "Limpeza: R$ 180,00; 40 min"),
        ("qual o valor do clareamento", "Clareamento: R$ 890,00; 1h30; em duas sessões"),
        ("preço do canal?", "Canal: a partir de R$ 750,00"),
        ("quanto tempo dura a limpeza?", "Limpeza: R$ 180,00; 40 min"),
        ("a avaliação é paga?", "Avaliação: gratuito; 30 min"),
        ("quem é a Dra Lia?", "Profissional (Dra. Lia Prado): odontopediatra"),
        ("que horas vocês abrem no sábado?", "Horário: segunda a sexta, das 8h às 18h, e sábado, das 8h às 12h"),
        ("onde vocês ficam?", "Endereço: Rua das Acácias, 120, Vila Mariana"),
        ("me passa o endereço", "Endereço: Rua das Acácias, 120, Vila Mariana"),
    ];
    for (question, line) in cases {
        let found = ask(&index, question);
        assert!(found.found, "{question}");
        assert_eq!(found.facts.first().map(String::as_str), Some(line), "{question}");
        assert_eq!(found.facts.len(), 7, "the other facts stand behind it");
    }
}

#[test]
fn what_the_company_never_wrote_is_not_found() {
    let index = clinic();
    let questions = [
        "vocês fazem implante?",
        "quanto custa o botox?",
        "tem vaga de emprego para recepcionista?",
        "vocês vendem escova elétrica?",
        "qual o nome do prefeito?",
        "me conta uma piada",
        "o doutor Roberto ainda trabalha aí?",
        "vocês atendem cachorro?",
        "oi, tudo bem?",
        "",
    ];
    for question in questions {
        let found = ask(&index, question);
        assert!(!found.found && found.entries.is_empty(), "{question}: {found:?}");
        assert_eq!(found.facts.len(), 7, "facts fit beside any question");
    }
    assert_eq!(
        Index::default().search(
            Question { text: "tem estacionamento?", embedding: None, today: day("2026-11-25") },
            Budget::default()
        ),
        Found::default()
    );
}

#[test]
fn only_what_is_true_today_is_told() {
    let index = clinic();
    let recess = |today| ask_on(&index, "vocês fecham no recesso de fim de ano?", today);
    let tells = |found: &Found| found.entries.iter().any(|entry| entry.contains("24 de dezembro"));
    assert!(!tells(&recess("2026-12-20")));
    assert!(tells(&recess("2026-12-21")));
    assert!(tells(&recess("2027-01-04")));
    assert!(!tells(&recess("2027-01-05")));
}

#[test]
fn a_budget_is_kept_and_long_texts_give_the_passage_that_was_asked_for() {
    let filler = "Este parágrafo fala de outra coisa qualquer, como a história da fundação da empresa. ".repeat(20);
    let body = format!("{filler}\nO elevador fica no fundo do corredor, à esquerda.\n{filler}");
    let draft = Draft { title: "Como chegar".into(), body, validity: Validity::default() };
    let index = Index::new([(&draft, None)].into_iter(), [].into_iter());
    let budget = Budget { entries: 700, facts: 0 };
    let question = Question { text: "onde fica o elevador?", embedding: None, today: day("2026-11-25") };
    let found = index.search(question, budget);
    assert!(found.entries.first().is_some_and(|entry| entry.contains("fundo do corredor")), "{:?}", found.entries);
    assert!(found.entries.iter().map(|entry| entry.chars().count() + 1).sum::<usize>() <= 700);
}

#[test]
fn a_providers_numbers_find_what_shares_no_word() {
    let space = Space { provider: "openai".into(), model: "m".into(), dimension: 3 };
    let made = |numbers: [f32; 3]| Embedding::new(space.clone(), numbers.to_vec()).unwrap();
    let draft = |title: &str| Draft { title: title.into(), body: "Texto.".into(), validity: Validity::default() };
    let (pets, food) = (draft("Animais de estimação"), draft("Cardápio"));
    let (of_pets, of_food) = (made([1.0, 0.1, 0.0]), made([0.0, 0.1, 1.0]));
    let entries = [(&pets, Some(&of_pets)), (&food, Some(&of_food))];
    let index = Index::new(entries.into_iter(), [].into_iter());
    let ask = |embedding: Option<&Embedding>| {
        let question = Question { text: "posso levar meu labrador?", embedding, today: day("2026-11-25") };
        index.search(question, Budget::default()).entries
    };
    assert_eq!(ask(Some(&made([0.9, 0.2, 0.1]))), ["Animais de estimação: Texto."]);
    assert!(ask(None).is_empty());
    let other = Space { model: "another".into(), ..space.clone() };
    let foreign = Embedding::new(other, vec![1.0, 0.0, 0.0]).unwrap();
    assert!(ask(Some(&foreign)).is_empty(), "numbers of another space say nothing");
}

#[test]
fn markdown_tells_titles_sections_and_validity() {
    let drafts = markdown::parse(CLINIC).unwrap();
    let titles: Vec<&str> = drafts.iter().map(|(_, draft)| draft.title.as_str()).collect();
    assert_eq!(titles.len(), 8);
    assert_eq!(titles[1], "Convênios – Quais aceitamos");
    assert_eq!(drafts[0].0, 3, "the line of its heading");
    let recess = &drafts[4].1;
    assert_eq!(recess.validity, Validity { from: Some(day("2026-12-21")), to: Some(day("2027-01-04")) });
    assert_eq!(recess.body, "Estaremos fechados de 24 de dezembro a 1º de janeiro.");
    let until = markdown::parse("# Promoção\n**Válida até 30/11/2026**\n20% na limpeza.").unwrap();
    assert_eq!(until[0].1.validity.to, Some(day("2026-11-30")));
    let prose = markdown::parse("# Cupom\nVálido para todos os serviços.\n```\n# isto não é um título\n```").unwrap();
    assert_eq!(prose.len(), 1);
    assert!(prose[0].1.body.starts_with("Válido para todos"));
}

#[test]
fn mistakes_in_files_are_told_line_by_line() {
    let problems = |read: Result<Vec<(usize, Draft)>, Vec<_>>| -> Vec<String> {
        read.unwrap_err().iter().map(ToString::to_string).collect()
    };
    let markdown =
        problems(markdown::parse("solto\n# Um\ntexto\n# Um\noutro\n# Vazio\n# Data\nVálido até 31/02/2026\nx"));
    assert_eq!(markdown.len(), 4, "{markdown:?}");
    for (line, word) in
        [("line 1:", "heading"), ("line 4:", "line 2 already"), ("line 6:", "no text"), ("line 8:", "31/12/2026")]
    {
        assert!(
            markdown.iter().any(|problem| problem.starts_with(line) && problem.contains(word)),
            "{line}: {markdown:?}"
        );
    }
    let table =
        problems(table::entries("titulo;texto;valido_ate\nUm;a;31/12/2026\nDois;b\nTrês;;\n;c;\nQuatro;d;amanhã"));
    assert_eq!(table.len(), 1, "rows of another length are told first: {table:?}");
    assert!(table[0].starts_with("line 3:"), "{table:?}");
    let table = problems(table::entries("titulo;texto;valido_ate\nUm;a;31/12/2026\nTrês;;\n;c;\nQuatro;d;amanhã"));
    assert_eq!(table.iter().map(|p| p.split(':').next().unwrap()).collect::<Vec<_>>(), ["line 3", "line 4", "line 5"]);
    for (content, word) in [
        ("", "nothing in it"),
        ("titulo;resumo\na;b", "no column \"resumo\""),
        ("titulo;title\na;b", "twice"),
        ("titulo\na", "text is missing"),
        ("titulo;texto\na;\"b", "never closed"),
        ("titulo;texto", "no rows"),
    ] {
        let told = problems(table::entries(content)).join(" / ");
        assert!(told.contains(word), "{content:?}: {told}");
    }
    let facts = table::facts("nome;preço;duração;tipo\nA;caro;;\nB;10;longa;\nC;10;10;coisa\nHorário;;;horário\nA;;;")
        .unwrap_err();
    assert_eq!(facts.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
}

#[test]
fn tables_hold_quotes_separators_and_line_breaks() {
    let content = "\u{FEFF}Título,Texto\r\n\"Um, dois\",\"Ele disse \"\"oi\"\"\r\ne foi\"\r\n\r\nTrês , quatro \r\n";
    let drafts = table::entries(content).unwrap();
    assert_eq!(drafts[0].1.title, "Um, dois");
    assert_eq!(drafts[0].1.body, "Ele disse \"oi\"\ne foi");
    assert_eq!((drafts[1].0, drafts[1].1.title.as_str(), drafts[1].1.body.as_str()), (5, "Três", "quatro"));
}

#[test]
fn facts_are_written_as_people_here_write_them() {
    assert_eq!(price(123_456_789, false, "BRL"), "R$ 1.234.567,89");
    assert_eq!(price(9_000, true, "BRL"), "a partir de R$ 90,00");
    assert_eq!(price(0, false, "BRL"), "gratuito");
    assert_eq!(price(1_050, false, "USD"), "USD 10,50");
    assert_eq!([duration(40), duration(60), duration(90), duration(65)], ["40 min", "1h", "1h30", "1h05"]);
    let class = Fact { capacity: 10, duration_min: Some(50), ..Fact::new(FactKind::Service, "Pilates") };
    assert_eq!(class.line(), "Pilates: 50 min; até 10 pessoas");
    assert_eq!(Fact::new(FactKind::Service, "Escova").line(), "Escova");
    assert!(Fact::new(FactKind::Hours, "Horário").checked().is_err());
    assert!(Fact { price_cents: Some(-1), ..Fact::new(FactKind::Service, "x") }.checked().is_err());
}

#[test]
fn prices_and_durations_are_read_as_people_here_write_them() {
    for (text, cents) in [
        ("R$ 1.234,56", 123_456),
        ("180", 18_000),
        ("R$90", 9_000),
        ("1.234", 123_400),
        ("12.5", 1_250),
        ("99,9", 9_990),
        ("1234.56", 123_456),
        ("grátis", 0),
    ] {
        assert_eq!(parse_price(text), Ok((cents, false)), "{text}");
    }
    assert_eq!(parse_price("A partir de R$ 90"), Ok((9_000, true)));
    for text in ["", "caro", "1,234.56", "12.34.56", "-5", "1,2,3", "R$", "10,", "1.23,4", "a partir de grátis"] {
        assert!(parse_price(text).is_err(), "{text}");
    }
    for (text, minutes) in [
        ("40", 40),
        ("40 min", 40),
        ("1h", 60),
        ("1h30", 90),
        ("1h30min", 90),
        ("1:30", 90),
        ("2 horas", 120),
        ("1 hora e 15 minutos", 75),
    ] {
        assert_eq!(parse_duration(text), Ok(minutes), "{text}");
    }
    for text in ["", "longa", "1h75", "h", "-10"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn hashed_numbers_have_length_one_or_none(text in "\\PC{0,200}") {
        let numbers = hashing::embed(&text);
        let length = numbers.iter().map(|n| n * n).sum::<f32>();
        prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-3, "{length}");
    }

    #[test]
    fn prices_survive_being_written_and_read(cents in 1..100_000_000_000_i64, from: bool) {
        prop_assert_eq!(parse_price(&price(cents, from, "BRL")), Ok((cents, from)));
    }

    #[test]
    fn durations_survive_being_written_and_read(minutes in 1..=1_440) {
        prop_assert_eq!(parse_duration(&duration(minutes)), Ok(minutes));
    }

    #[test]
    fn no_file_is_too_strange_to_be_read(content in "[#;,\"\\n a-z|0-9/áé]{0,200}") {
        let _ = (markdown::parse(&content), table::entries(&content), table::facts(&content));
    }

    #[test]
    fn no_question_breaks_the_search_or_its_budget(text in "\\PC{0,300}", entries in 0..500_usize, facts in 0..500_usize) {
        let budget = Budget { entries, facts };
        static INDEX: std::sync::LazyLock<Index> = std::sync::LazyLock::new(clinic);
        let found = INDEX.search(Question { text: &text, embedding: None, today: day("2026-11-25") }, budget);
        let long = |lines: &[String]| lines.iter().map(|line| line.chars().count()).sum::<usize>();
        prop_assert!(long(&found.entries) <= entries && long(&found.facts) <= facts);
    }
}
