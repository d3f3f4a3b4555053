//! Dialogues as people have them. What comes of each is stated here; how it is said stands in the transcripts
//! (`INSTA_UPDATE=always cargo test agenda_flow::` writes them anew; read the difference before it is committed).

use chrono::TimeDelta;
use chrono_tz::Tz;
use secretaria::domain::agenda::flow::{Event, Hold, Slot};

use super::desk::{Desk, Trouble};

struct Dialogue {
    about: &'static str,
    /// How the reception is set up.
    set: fn(&mut Desk),
    /// What the customer writes; in parentheses what happens meanwhile.
    says: &'static [&'static str],
    /// What comes of it.
    ends: &'static str,
}

fn plain(_: &mut Desk) {}

fn troubled(desk: &mut Desk, trouble: Trouble) {
    desk.simple();
    desk.troubles.push(trouble);
}

/// One appointment tomorrow at 10h.
fn tomorrow(desk: &mut Desk) {
    desk.has("A", "limpeza", "2026-10-08T10:00");
}

fn two(desk: &mut Desk) {
    desk.has("A", "limpeza", "2026-10-08T10:00");
    desk.has("B", "avaliacao", "2026-10-13T15:30");
}

const DIALOGUES: &[Dialogue] = &[
    Dialogue {
        about: "do pedido ao horário marcado",
        set: plain,
        says: &["oi, queria marcar uma limpeza", "2", "sim"],
        ends: "marca limpeza qua 7/10 às 14h",
    },
    Dialogue {
        about: "serviço perguntado e dito por nome",
        set: plain,
        says: &["quero marcar um horário", "clareamento", "a primeira", "pode marcar"],
        ends: "marca clareamento qua 7/10 às 11h",
    },
    Dialogue {
        about: "serviço perguntado e dito por número",
        set: plain,
        says: &["quero agendar", "2", "1", "sim"],
        ends: "marca avaliacao qua 7/10 às 14h",
    },
    Dialogue {
        about: "com quem",
        set: |desk| desk.setting.asks_professional = true,
        says: &["quero marcar uma limpeza", "com o dr. rui", "3", "sim"],
        ends: "marca limpeza qua 7/10 às 18h30",
    },
    Dialogue {
        about: "com quem, tanto faz",
        set: |desk| desk.setting.asks_professional = true,
        says: &["quero marcar uma limpeza", "tanto faz", "1", "sim"],
        ends: "marca limpeza qua 7/10 às 11h",
    },
    Dialogue {
        about: "profissional dito no pedido",
        set: |desk| desk.setting.asks_professional = true,
        says: &["queria uma limpeza com a Dra. Lia na sexta", "a de 14h", "sim"],
        ends: "marca limpeza sex 9/10 às 14h",
    },
    Dialogue {
        about: "dia e período no pedido",
        set: plain,
        says: &["tem horário pra limpeza quinta à tarde?", "a última", "sim, pode ser"],
        ends: "marca limpeza qui 8/10 às 17h",
    },
    Dialogue {
        about: "dia e hora livres: só falta o sim",
        set: plain,
        says: &["quero marcar limpeza dia 13/10 às 10h", "sim"],
        ends: "marca limpeza ter 13/10 às 10h",
    },
    Dialogue {
        about: "dia e hora ocupados: os mais próximos",
        set: |desk| desk.has("X", "limpeza", "2026-10-13T10:00"),
        says: &["quero marcar limpeza dia 13/10 às 10h", "1", "sim"],
        ends: "marca limpeza ter 13/10 às 9h",
    },
    Dialogue {
        about: "depois das 18",
        set: plain,
        says: &["quero marcar uma limpeza, só posso depois das 18h", "2", "isso"],
        ends: "marca limpeza qui 8/10 às 18h30",
    },
    Dialogue {
        about: "escolha pela hora",
        set: plain,
        says: &["marcar limpeza na quinta", "quinta às duas", "sim"],
        ends: "marca limpeza qui 8/10 às 14h",
    },
    Dialogue {
        about: "a mais cedo",
        set: plain,
        says: &["marcar limpeza na sexta", "a mais cedo", "sim"],
        ends: "marca limpeza sex 9/10 às 9h",
    },
    Dialogue {
        about: "o horário preferido vem primeiro",
        set: |desk| desk.preferred = Some(17),
        says: &["quero marcar uma limpeza", "qualquer uma", "sim"],
        ends: "marca limpeza qua 7/10 às 17h",
    },
    Dialogue {
        about: "escolha que pode ser duas coisas",
        set: plain,
        says: &["quero marcar limpeza amanhã", "de manhã", "10h", "sim"],
        ends: "marca limpeza qui 8/10 às 10h",
    },
    Dialogue {
        about: "uma hora que pode ser duas é perguntada",
        set: plain,
        says: &["quero marcar limpeza sexta às 7", "2", "nenhuma serve"],
        ends: "espera",
    },
    Dialogue {
        about: "outro dia, e qual",
        set: plain,
        says: &["quero marcar uma limpeza", "0", "terça que vem de manhã", "1", "sim"],
        ends: "marca limpeza ter 13/10 às 9h",
    },
    Dialogue {
        about: "nenhuma serve: os dias seguintes",
        set: plain,
        says: &["quero marcar uma limpeza", "nenhum desses horários dá", "2", "sim"],
        ends: "marca limpeza sex 9/10 às 10h",
    },
    Dialogue {
        about: "não no resumo e outro horário",
        set: plain,
        says: &["limpeza amanhã às 14h, dá pra marcar?", "não", "sexta às 9h", "sim"],
        ends: "marca limpeza sex 9/10 às 9h",
    },
    Dialogue {
        about: "muda de ideia no resumo",
        set: plain,
        says: &["quero marcar limpeza amanhã às 14h", "não, melhor às 9h", "sim"],
        ends: "marca limpeza qui 8/10 às 9h",
    },
    Dialogue {
        about: "muda o serviço no meio",
        set: plain,
        says: &["quero marcar uma limpeza", "na verdade queria clareamento", "1", "sim"],
        ends: "marca clareamento qua 7/10 às 11h",
    },
    Dialogue {
        about: "outra opção depois do resumo",
        set: plain,
        says: &["marcar limpeza na quinta", "1", "não, a 3", "sim"],
        ends: "marca limpeza qui 8/10 às 11h",
    },
    Dialogue {
        about: "um sim que não é bem um sim",
        set: plain,
        says: &["quero marcar limpeza amanhã às 14h", "acho que sim", "sim"],
        ends: "marca limpeza qui 8/10 às 14h",
    },
    Dialogue {
        about: "uma pergunta no meio",
        set: plain,
        says: &["quero marcar uma limpeza", "quanto custa?", "1", "tem estacionamento?", "sim"],
        ends: "o modelo responde; o modelo responde; marca limpeza qua 7/10 às 11h",
    },
    Dialogue {
        about: "deixa pra lá nas opções",
        set: plain,
        says: &["quero marcar uma limpeza", "deixa pra lá"],
        ends: "nada",
    },
    Dialogue {
        about: "deixa pra lá no resumo",
        set: plain,
        says: &["quero marcar limpeza amanhã às 14h", "desisto"],
        ends: "nada",
    },
    Dialogue {
        about: "três voltas sem resultado: uma pessoa",
        set: plain,
        says: &["quero marcar uma limpeza", "nenhuma serve", "nenhuma dessas", "nenhuma"],
        ends: "pessoa: booking_fruitless",
    },
    Dialogue {
        about: "três vezes sem entender: uma pessoa",
        set: plain,
        says: &["quero marcar um horário", "azul", "trinta e dois bois", "pois é"],
        ends: "pessoa: booking_fruitless",
    },
    Dialogue {
        about: "para a mãe, com nome",
        set: plain,
        says: &["quero marcar uma limpeza pra minha mãe, Maria Souza", "1", "sim"],
        ends: "marca limpeza qua 7/10 às 11h para Maria Souza",
    },
    Dialogue {
        about: "para o filho, nome perguntado",
        set: plain,
        says: &["queria marcar avaliação pro meu filho", "o nome dele é Pedro", "2", "sim"],
        ends: "marca avaliacao qua 7/10 às 15h30 para Pedro",
    },
    Dialogue {
        about: "na verdade é para a filha",
        set: plain,
        says: &["quero marcar limpeza amanhã às 14h", "é pra minha filha, a Júlia", "sim"],
        ends: "marca limpeza qui 8/10 às 14h para Júlia",
    },
    Dialogue {
        about: "duas pessoas de uma vez",
        set: plain,
        says: &["quero marcar limpeza pra mim e pra minha mãe amanhã", "1", "sim", "Maria", "1", "sim"],
        ends: "marca limpeza qui 8/10 às 9h; marca limpeza qui 8/10 às 10h para Maria",
    },
    Dialogue {
        about: "resposta às opções de ontem",
        set: plain,
        says: &["quero marcar uma limpeza", "(passa um dia)", "2", "2", "sim"],
        ends: "marca limpeza qui 8/10 às 14h",
    },
    Dialogue {
        about: "sim depois que o horário seguro venceu",
        set: plain,
        says: &["quero marcar limpeza amanhã às 14h", "(passa uma hora)", "sim"],
        ends: "marca limpeza qui 8/10 às 14h",
    },
    Dialogue {
        about: "sim de outro dia é perguntado de novo",
        set: plain,
        says: &["quero marcar limpeza sexta às 14h", "(passa um dia)", "sim", "sim"],
        ends: "marca limpeza sex 9/10 às 14h",
    },
    Dialogue {
        about: "sim depois que a hora passou",
        set: plain,
        says: &["quero marcar limpeza hoje às 14h", "(passam cinco horas)", "sim"],
        ends: "espera",
    },
    Dialogue {
        about: "dia que já passou",
        set: plain,
        says: &["quero marcar limpeza ontem às 10h", "amanhã às 10h", "sim"],
        ends: "marca limpeza qui 8/10 às 10h",
    },
    Dialogue {
        about: "29 de fevereiro",
        set: plain,
        says: &["quero marcar limpeza dia 29/02 às 9h", "amanhã 9h", "sim"],
        ends: "marca limpeza qui 8/10 às 9h",
    },
    Dialogue {
        about: "longe demais",
        set: plain,
        says: &["quero marcar limpeza dia 10/07/2027", "amanhã", "1", "sim"],
        ends: "marca limpeza qui 8/10 às 9h",
    },
    Dialogue {
        about: "uma hora que o relógio pula",
        set: |desk| desk.in_zone(Tz::America__New_York, "2026-03-05T15:00:00Z"),
        says: &["quero marcar limpeza domingo 8/3 às 2h30 da manhã", "segunda às 9h", "sim"],
        ends: "marca limpeza seg 9/3 às 9h",
    },
    Dialogue {
        about: "ocupado entre a opção e o resumo",
        set: |desk| troubled(desk, Trouble::TakenAtHold),
        says: &["quero marcar uma limpeza amanhã", "2", "2", "sim"],
        ends: "marca limpeza qui 8/10 às 11h",
    },
    Dialogue {
        about: "ocupado entre o resumo e o sim",
        set: |desk| troubled(desk, Trouble::TakenAtBooking),
        says: &["quero marcar uma limpeza amanhã", "1", "sim", "1", "sim"],
        ends: "marca limpeza qui 8/10 às 10h",
    },
    Dialogue {
        about: "agenda fora do ar na busca",
        set: |desk| troubled(desk, Trouble::DownAtSlots),
        says: &["quero marcar uma limpeza"],
        ends: "pessoa: calendar_down",
    },
    Dialogue {
        about: "agenda fora do ar na hora de marcar",
        set: |desk| troubled(desk, Trouble::DownAtBooking),
        says: &["quero marcar uma limpeza", "1", "sim"],
        ends: "pessoa: calendar_down",
    },
    Dialogue {
        about: "ninguém sabe se ficou marcado",
        set: |desk| troubled(desk, Trouble::Unknown),
        says: &["quero marcar uma limpeza", "1", "sim"],
        ends: "pessoa: booking_unknown",
    },
    Dialogue {
        about: "a agenda recusa",
        set: |desk| troubled(desk, Trouble::Refused),
        says: &["quero marcar uma limpeza", "1", "sim"],
        ends: "pessoa: booking_refused",
    },
    Dialogue {
        about: "a resposta da agenda se perde e é procurada",
        set: |desk| troubled(desk, Trouble::AnswerLost),
        says: &["quero marcar uma limpeza", "1", "sim", "e aí, marcou?"],
        ends: "marca limpeza qua 7/10 às 11h",
    },
    Dialogue {
        about: "a empresa ainda precisa aceitar",
        set: |desk| troubled(desk, Trouble::OnRequest),
        says: &["quero marcar uma limpeza", "1", "sim"],
        ends: "marca limpeza qua 7/10 às 11h",
    },
    Dialogue {
        about: "sem agenda configurada",
        set: |desk| desk.setting.calendar = false,
        says: &["quero marcar uma limpeza"],
        ends: "pessoa: no_calendar",
    },
    Dialogue {
        about: "agenda que não segura horários",
        set: |desk| {
            desk.simple();
            desk.keeps = false;
        },
        says: &["quero marcar uma limpeza", "1", "sim"],
        ends: "marca limpeza qua 7/10 às 11h",
    },
    Dialogue {
        about: "nada livre: fila de espera",
        set: |desk| desk.booked_out = true,
        says: &["quero marcar uma limpeza", "sim, por favor"],
        ends: "fila de espera: limpeza",
    },
    Dialogue {
        about: "nada livre: sem fila",
        set: |desk| desk.booked_out = true,
        says: &["quero marcar uma limpeza", "não, obrigada"],
        ends: "nada",
    },
    Dialogue {
        about: "confirmação com link",
        set: |desk| {
            desk.simple();
            desk.link = Some(format!("https://meet.example.com/{}", "x".repeat(150)));
        },
        says: &["quero marcar uma limpeza amanhã", "1", "sim"],
        ends: "marca limpeza qui 8/10 às 9h",
    },
    Dialogue {
        about: "remarcar o único horário",
        set: tomorrow,
        says: &["preciso remarcar minha consulta", "2", "sim"],
        ends: "remarca limpeza qua 7/10 às 15h30",
    },
    Dialogue {
        about: "remarcar para um dia dito",
        set: tomorrow,
        says: &["quero passar minha consulta de quinta para sexta às 9h", "sim"],
        ends: "remarca limpeza sex 9/10 às 9h",
    },
    Dialogue {
        about: "remarcar um de dois",
        set: two,
        says: &["quero remarcar meu horário", "2", "1", "sim"],
        ends: "remarca avaliacao qua 7/10 às 14h",
    },
    Dialogue {
        about: "remarcar e desistir",
        set: tomorrow,
        says: &["preciso remarcar minha consulta", "deixa pra lá"],
        ends: "nada",
    },
    Dialogue {
        about: "remarcar sem ter horário",
        set: plain,
        says: &["preciso remarcar minha consulta", "não"],
        ends: "nada",
    },
    Dialogue {
        about: "cancelar",
        set: tomorrow,
        says: &["quero cancelar minha consulta", "sim"],
        ends: "cancela qui 8/10 às 10h",
    },
    Dialogue {
        about: "cancelar, repetido em vez de sim",
        set: tomorrow,
        says: &["quero desmarcar minha limpeza", "pode cancelar"],
        ends: "cancela qui 8/10 às 10h",
    },
    Dialogue {
        about: "cancelar e pensar melhor",
        set: tomorrow,
        says: &["quero cancelar minha consulta", "não, deixa"],
        ends: "nada",
    },
    Dialogue {
        about: "cancelar e preferir remarcar",
        set: tomorrow,
        says: &["quero cancelar minha consulta", "melhor remarcar para sexta às 10h", "sim"],
        ends: "remarca limpeza sex 9/10 às 10h",
    },
    Dialogue {
        about: "cancelar o de terça",
        set: two,
        says: &["cancela minha consulta de terça", "sim"],
        ends: "cancela ter 13/10 às 15h30",
    },
    Dialogue {
        about: "cancelar no meio de uma marcação",
        set: tomorrow,
        says: &["quero marcar uma avaliação", "aliás, quero cancelar minha consulta", "sim"],
        ends: "cancela qui 8/10 às 10h",
    },
    Dialogue { about: "meus horários", set: two, says: &["quais são os meus horários?"], ends: "nada" },
    Dialogue {
        about: "meus horários no meio de uma marcação",
        set: tomorrow,
        says: &["quero marcar uma avaliação", "quais são os meus horários?", "1", "sim"],
        ends: "marca avaliacao qua 7/10 às 14h",
    },
    Dialogue {
        about: "lembrete: confirma",
        set: tomorrow,
        says: &["(lembrete)", "vou sim!"],
        ends: "confirma qui 8/10 às 10h",
    },
    Dialogue {
        about: "lembrete: um polegar",
        set: tomorrow,
        says: &["(lembrete)", "👍"],
        ends: "confirma qui 8/10 às 10h",
    },
    Dialogue {
        about: "lembrete: não posso",
        set: tomorrow,
        says: &["(lembrete)", "não", "2", "1", "sim"],
        ends: "remarca limpeza qua 7/10 às 14h",
    },
    Dialogue {
        about: "lembrete: remarcar",
        set: tomorrow,
        says: &["(lembrete)", "tem como mudar pra sexta às 15h30?", "sim"],
        ends: "remarca limpeza sex 9/10 às 15h30",
    },
    Dialogue {
        about: "lembrete: cancelar",
        set: tomorrow,
        says: &["(lembrete)", "não vou poder ir, pode cancelar", "sim"],
        ends: "cancela qui 8/10 às 10h",
    },
    Dialogue {
        about: "lembrete: pergunta e depois confirma",
        set: tomorrow,
        says: &["(lembrete)", "qual é o endereço?", "confirmado"],
        ends: "o modelo responde; confirma qui 8/10 às 10h",
    },
    Dialogue {
        about: "retorno: quer marcar",
        set: plain,
        says: &["(retorno)", "quero sim", "1", "sim"],
        ends: "marca limpeza qua 7/10 às 11h",
    },
    Dialogue { about: "retorno: agora não", set: plain, says: &["(retorno)", "agora não, obrigada"], ends: "nada" },
    Dialogue {
        about: "retorno: uma opinião",
        set: plain,
        says: &["(retorno)", "nota 10, atendimento excelente"],
        ends: "guarda a opinião",
    },
    Dialogue {
        about: "uma vaga que abriu",
        set: |desk| desk.setting.asks_professional = true,
        says: &["(vaga)", "sim"],
        ends: "marca limpeza sex 9/10 às 14h",
    },
    Dialogue {
        about: "a pessoa pede uma pessoa",
        set: plain,
        says: &["quero marcar uma limpeza", "quero falar com um atendente"],
        ends: "pessoa: asked",
    },
    Dialogue { about: "nada com a agenda", set: plain, says: &["vocês aceitam cartão?"], ends: "o modelo responde" },
];

fn happens(desk: &mut Desk, what: &str) {
    desk.script.push(what.to_owned());
    match what {
        "(passa um dia)" => desk.now += TimeDelta::days(1),
        "(passa uma hora)" => desk.now += TimeDelta::hours(1),
        "(passam cinco horas)" => desk.now += TimeDelta::hours(5),
        "(lembrete)" => {
            let one = desk.appointments[0].clone();
            desk.happens(&Event::Reminded(one));
        }
        "(retorno)" => desk.happens(&Event::FollowedUp { service: Some("limpeza".to_owned()) }),
        "(vaga)" => {
            let start = desk.at("2026-10-09T14:00");
            let slot = Slot { start, end: start + TimeDelta::minutes(30), professional: Some("lia".to_owned()) };
            let hold = Hold { id: "H".to_owned(), slot, until: desk.now + TimeDelta::minutes(30) };
            desk.happens(&Event::Vacancy { service: "limpeza".to_owned(), hold });
            desk.answers();
        }
        other => panic!("nothing known happens at {other}"),
    }
}

fn played(dialogue: &Dialogue) -> (String, String) {
    let mut desk = Desk::new();
    (dialogue.set)(&mut desk);
    for said in dialogue.says {
        match said.starts_with('(') {
            true => happens(&mut desk, said),
            false => desk.says(said),
        }
    }
    (desk.script.join("\n"), desk.outcome())
}

#[test]
fn dialogues_come_to_what_they_should() {
    assert!(DIALOGUES.len() >= 40);
    let mut wrong = Vec::new();
    for dialogue in DIALOGUES {
        let (script, outcome) = played(dialogue);
        if outcome != dialogue.ends {
            wrong.push(format!("# {}\n{script}\n=> {outcome}\nexpected: {}\n", dialogue.about, dialogue.ends));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n\n{}", wrong.len(), DIALOGUES.len(), wrong.join("\n"));
}

#[test]
fn dialogues_read_like_this() {
    let all: Vec<String> =
        DIALOGUES.iter().map(|dialogue| format!("# {}\n{}", dialogue.about, played(dialogue).0)).collect();
    insta::with_settings!({snapshot_path => "../transcripts", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("agenda_dialogues", all.join("\n\n"));
    });
}
