//! Every shape in which a message reaches the Whaticket webhook.

use proptest::prelude::*;
use secretaria::clients::channel::whaticket::inbound::read;
use secretaria::domain::inbound::{Echo, IgnoreReason, Inbound, InboundMessage, MessageKind, Sender};
use serde_json::{Value, json};

const ANA: &str = "5511987654321";

fn all(body: Value) -> Vec<Inbound> {
    read(body.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e} in {body}"))
}

fn one(body: Value) -> Inbound {
    let mut read = all(body);
    assert_eq!(read.len(), 1);
    read.remove(0)
}

fn message(body: Value) -> InboundMessage {
    match one(body.clone()) {
        Inbound::Message(message) => message,
        other => panic!("{other:?} from {body}"),
    }
}

fn echo(body: Value) -> Echo {
    match one(body.clone()) {
        Inbound::Echo(echo) => echo,
        other => panic!("{other:?} from {body}"),
    }
}

fn ignored(body: Value) -> IgnoreReason {
    match one(body.clone()) {
        Inbound::Ignored(reason) => reason,
        other => panic!("{other:?} from {body}"),
    }
}

fn bad_field(body: Value) -> String {
    let error = read(body.to_string().as_bytes()).expect_err("must be refused");
    error.field.expect("a field is named").into_owned()
}

fn text(message: &InboundMessage) -> &str {
    message.text.as_ref().map(|t| t.as_str()).unwrap_or_default()
}

fn number(message: &InboundMessage) -> String {
    message.from.reply_address()
}

fn baileys(content: Value) -> Value {
    json!({"key": {"remoteJid": format!("{ANA}@s.whatsapp.net"), "fromMe": false, "id": "3EB0C4"},
        "messageTimestamp": 1_760_000_000, "pushName": "Ana", "message": content})
}

fn with_jid(jid: &str) -> Value {
    let mut body = baileys(json!({"conversation": "oi"}));
    body["key"]["remoteJid"] = json!(jid);
    body
}

// ---- (A) raw Baileys

#[test]
fn baileys_conversation() {
    let m = message(baileys(json!({"conversation": "Quero marcar um horário"})));
    assert_eq!(text(&m), "Quero marcar um horário");
    assert_eq!(number(&m), ANA);
    assert_eq!(m.provider_id.as_deref(), Some("3EB0C4"));
    assert_eq!(m.name.unwrap().as_str(), "Ana");
    assert_eq!(m.sent_at, Some(1_760_000_000));
    assert_eq!(m.kind, MessageKind::Text);
}

#[test]
fn baileys_contents_with_words() {
    let cases = [
        json!({"extendedTextMessage": {"text": "oi"}}),
        json!({"buttonsResponseMessage": {"selectedDisplayText": "oi", "selectedButtonId": "b1"}}),
        json!({"buttonsResponseMessage": {"selectedButtonId": "oi"}}),
        json!({"listResponseMessage": {"title": "oi", "singleSelectReply": {"selectedRowId": "r1"}}}),
        json!({"listResponseMessage": {"singleSelectReply": {"selectedRowId": "oi"}}}),
        json!({"templateButtonReplyMessage": {"selectedDisplayText": "oi", "selectedId": "x"}}),
        json!({"templateButtonReplyMessage": {"selectedId": "oi"}}),
        json!({"templateMessage": {"hydratedTemplate": {"hydratedContentText": "oi"}}}),
        json!({"templateMessage": {"hydratedFourRowTemplate": {"hydratedContentText": "oi"}}}),
        json!({"interactiveResponseMessage": {"body": {"text": "oi"}}}),
        json!({"interactiveResponseMessage": {"nativeFlowResponseMessage": {"name": "menu", "paramsJson": "{\"id\":\"oi\"}"}}}),
        json!({"interactiveMessage": {"body": {"text": "oi"}}}),
        json!({"ephemeralMessage": {"message": {"conversation": "oi"}}}),
        json!({"viewOnceMessage": {"message": {"extendedTextMessage": {"text": "oi"}}}}),
        json!({"viewOnceMessageV2": {"message": {"conversation": "oi"}}}),
        json!({"editedMessage": {"message": {"conversation": "oi"}}}),
        json!({"editedMessage": {"message": {"protocolMessage": {"editedMessage": {"conversation": "oi"}}}}}),
        json!({"ephemeralMessage": {"message": {"viewOnceMessageV2": {"message": {"conversation": "oi"}}}}}),
        json!({"conversation": "oi", "senderKeyDistributionMessage": {}, "messageContextInfo": {}}),
        json!({"text": "oi"}),
    ];
    for content in cases {
        let m = message(baileys(content.clone()));
        assert_eq!((text(&m), m.kind), ("oi", MessageKind::Text), "{content}");
    }
}

#[test]
fn baileys_media_with_and_without_caption() {
    let cases = [
        ("imageMessage", MessageKind::Image),
        ("videoMessage", MessageKind::Video),
        ("audioMessage", MessageKind::Audio),
        ("documentMessage", MessageKind::Document),
        ("stickerMessage", MessageKind::Sticker),
        ("locationMessage", MessageKind::Location),
        ("contactMessage", MessageKind::Contact),
    ];
    for (field, kind) in cases {
        let m = message(baileys(json!({field: {"mimetype": "x", "fileName": "laudo.pdf"}})));
        assert_eq!((m.text, m.kind), (None, kind), "{field}");
    }
    for field in ["imageMessage", "videoMessage", "documentMessage"] {
        assert_eq!(text(&message(baileys(json!({field: {"caption": "veja"}})))), "veja");
    }
    let wrapped = json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "laudo"}}}});
    let m = message(baileys(wrapped));
    assert_eq!((text(&m), m.kind), ("laudo", MessageKind::Document));
    let view_once = json!({"viewOnceMessageV2": {"message": {"imageMessage": {"caption": "foto"}}}});
    assert_eq!(message(baileys(view_once)).kind, MessageKind::Image);
}

#[test]
fn baileys_content_nobody_knows_is_a_message_we_cannot_read() {
    let m = message(baileys(json!({"orderMessage": {"orderId": "1"}})));
    assert_eq!((m.text, m.kind), (None, MessageKind::Unsupported));
}

#[test]
fn reactions_votes_and_key_exchange_are_no_messages() {
    for content in [
        json!({"reactionMessage": {"text": "👍", "key": {}}}),
        json!({"protocolMessage": {"type": "REVOKE"}}),
        json!({"pollUpdateMessage": {}}),
        json!({"senderKeyDistributionMessage": {}, "messageContextInfo": {}}),
        json!({"ephemeralMessage": {"message": {"reactionMessage": {"text": "👍"}}}}),
    ] {
        assert_eq!(ignored(baileys(content.clone())), IgnoreReason::NotAMessage, "{content}");
    }
    let mut stub = baileys(Value::Null);
    stub["messageStubType"] = json!("CIPHERTEXT");
    assert_eq!(ignored(stub), IgnoreReason::NotAMessage);
}

#[test]
fn baileys_without_words_is_empty() {
    for content in
        [Value::Null, json!({}), json!({"conversation": " \u{200B} "}), json!({"extendedTextMessage": {"text": ""}})]
    {
        assert_eq!(ignored(baileys(content.clone())), IgnoreReason::Empty, "{content}");
    }
}

#[test]
fn timestamps_in_every_form() {
    for stamp in [
        json!(1_760_000_000),
        json!("1760000000"),
        json!({"low": 1_760_000_000, "high": 0, "unsigned": true}),
        json!(1_760_000_000_000_i64),
        json!("1760000000000"),
        json!(1_760_000_000.0),
        json!("2025-10-09T08:53:20Z"),
    ] {
        let mut body = baileys(json!({"conversation": "oi"}));
        body["messageTimestamp"] = stamp.clone();
        assert_eq!(message(body).sent_at, Some(1_760_000_000), "{stamp}");
    }
    for stamp in [json!("soon"), json!(-5), json!(0), json!([]), json!({"high": 1})] {
        let mut body = baileys(json!({"conversation": "oi"}));
        body["messageTimestamp"] = stamp.clone();
        assert_eq!(message(body).sent_at, None, "{stamp}");
    }
}

#[test]
fn groups_status_and_newsletters_are_ignored() {
    assert_eq!(ignored(with_jid("120363000000000000@g.us")), IgnoreReason::Group);
    assert_eq!(ignored(with_jid("status@broadcast")), IgnoreReason::Status);
    assert_eq!(ignored(with_jid("1700000000@broadcast")), IgnoreReason::Status);
    assert_eq!(ignored(with_jid("120363000000000000@newsletter")), IgnoreReason::Newsletter);
}

#[test]
fn a_jid_with_a_device_and_a_foreign_one_are_read_as_they_are() {
    assert_eq!(number(&message(with_jid("5511987654321:12@s.whatsapp.net"))), ANA);
    assert_eq!(number(&message(with_jid("11987654321@s.whatsapp.net"))), "11987654321");
    assert_eq!(number(&message(with_jid("551187654321@c.us"))), "551187654321");
}

#[test]
fn a_hidden_id_is_joined_with_the_number_beside_it() {
    for field in ["remoteJidAlt", "senderPn", "participantPn"] {
        let mut body = with_jid("123456789012345@lid");
        body["key"][field] = json!(format!("{ANA}@s.whatsapp.net"));
        match message(body).from {
            Sender::Phone { phone, lid } => {
                assert_eq!((phone.digits(), lid.as_deref()), (ANA, Some("123456789012345")), "{field}");
            }
            other => panic!("{other:?}"),
        }
    }
    let mut body = with_jid(&format!("{ANA}@s.whatsapp.net"));
    body["key"]["remoteJidAlt"] = json!("123456789012345@lid");
    assert!(matches!(message(body).from, Sender::Phone { lid: Some(_), .. }));
}

#[test]
fn a_hidden_id_alone_gets_no_phone() {
    let m = message(with_jid("123456789012345@lid"));
    assert_eq!(m.from, Sender::Lid("123456789012345".into()));
    assert_eq!(m.from.reply_address(), "123456789012345@lid");
}

#[test]
fn our_own_message_is_an_echo_to_its_recipient() {
    let mut body = baileys(json!({"conversation": "Olá!"}));
    body["key"]["fromMe"] = json!(true);
    let e = echo(body);
    assert_eq!(e.to.reply_address(), ANA);
    assert_eq!(e.provider_id.as_deref(), Some("3EB0C4"));
    assert_eq!(e.text.unwrap().as_str(), "Olá!");
    let mut hidden = with_jid("123456789012345@lid");
    hidden["key"]["fromMe"] = json!(true);
    hidden["key"]["senderPn"] = json!("5511900000000@s.whatsapp.net");
    assert_eq!(echo(hidden).to, Sender::Lid("123456789012345".into()), "senderPn is ourselves here");
}

#[test]
fn facebook_and_instagram_inside_a_fork() {
    let body = json!({"message": {"text": "Oi", "mid": "m_1"}, "contact": {"id": 7, "name": "Ana", "number": ANA},
        "ticket": {"id": 91, "status": "open", "queueId": 3}, "whatsapp": {"id": 1}});
    let m = message(body.clone());
    assert_eq!((text(&m), number(&m).as_str(), m.provider_id.as_deref()), ("Oi", ANA, Some("m_1")));
    assert_eq!(m.name.unwrap().as_str(), "Ana");
    let mut picture = body.clone();
    picture["message"] = json!({"mid": "m_2", "attachments": [{"type": "image", "payload": {}}]});
    assert_eq!(message(picture).kind, MessageKind::Image);
    let mut own = body;
    own["message"]["is_echo"] = json!(true);
    assert_eq!(echo(own).to.reply_address(), ANA);
}

// ---- (B) per-connection webhook

fn queue_webhook() -> Value {
    json!({"filaescolhida": "Vendas", "filaescolhidaid": 3, "mensagem": "Quero marcar", "sender": ANA, "chamadoId": 91,
        "acao": "start", "name": "Ana", "companyId": 1, "fromMe": false, "queueId": 3, "isGroup": false, "id": 91,
        "ticketData": {"id": 91, "status": "pending", "contact": {"id": 7, "name": "Ana", "number": ANA},
            "whatsapp": {"id": 1, "name": "Recepção"}}})
}

#[test]
fn queue_webhook_with_sender_as_string() {
    let m = message(queue_webhook());
    assert_eq!((text(&m), number(&m).as_str()), ("Quero marcar", ANA));
    assert_eq!(m.provider_id, None, "the ticket's id is not the message's");
    assert_eq!(m.name.unwrap().as_str(), "Ana");
}

#[test]
fn queue_webhook_with_sender_as_contact() {
    let mut body = queue_webhook();
    body["sender"] = json!({"number": "5521987654321", "name": "Bia"});
    body.as_object_mut().unwrap().remove("name");
    let m = message(body);
    assert_eq!(number(&m), "5521987654321");
    assert_eq!(m.name.unwrap().as_str(), "Bia");
}

#[test]
fn queue_webhook_with_chamado_only() {
    let body =
        json!({"mensagem": "SAIR", "acao": "end", "chamado": {"id": 91, "contact": {"number": ANA, "name": "Ana"}}});
    assert_eq!(number(&message(body)), ANA);
}

#[test]
fn queue_webhook_of_a_group_of_ourselves_and_without_text() {
    let with = |field: &str, value: Value| {
        let mut body = queue_webhook();
        body[field] = value;
        body
    };
    assert_eq!(ignored(with("isGroup", json!(true))), IgnoreReason::Group);
    assert_eq!(ignored(with("mensagem", json!(""))), IgnoreReason::Empty);
    assert_eq!(ignored(with("mensagem", Value::Null)), IgnoreReason::Empty);
    assert_eq!(echo(with("fromMe", json!(true))).to.reply_address(), ANA);
}

// ---- (C) Whazing

fn whazing() -> Value {
    json!({"messageId": "3EB0AA", "messageBody": "Oi", "timestamp": 1_760_000_000_000_i64, "status": "received", "fromMe": false,
        "mediaType": "chat", "mediaUrl": null, "isDeleted": false, "sendType": "chat",
        "ticket": {"id": 5, "status": "open", "protocol": "2025", "queueId": null},
        "contact": {"id": 9, "name": "Ana", "phoneNumber": ANA, "isGroup": false, "pushname": "Aninha", "lid": "123456789012345@lid"}})
}

#[test]
fn whazing_message() {
    let m = message(whazing());
    assert_eq!((text(&m), m.provider_id.as_deref(), m.sent_at), ("Oi", Some("3EB0AA"), Some(1_760_000_000)));
    assert!(
        matches!(m.from, Sender::Phone { ref phone, ref lid } if phone.digits() == ANA && lid.as_deref() == Some("123456789012345"))
    );
    assert_eq!(m.kind, MessageKind::Text);
}

#[test]
fn whazing_media_group_deletion_echo_and_hidden_number() {
    let with = |path: &str, value: Value| {
        let mut body = whazing();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let mut audio = with("/mediaType", json!("audio"));
    audio["messageBody"] = json!("");
    let m = message(audio);
    assert_eq!((m.text, m.kind), (None, MessageKind::Audio));
    assert_eq!(ignored(with("/contact/isGroup", json!(true))), IgnoreReason::Group);
    assert_eq!(ignored(with("/isDeleted", json!(true))), IgnoreReason::NotAMessage);
    assert_eq!(echo(with("/fromMe", json!(true))).to.reply_address(), ANA);
    let hidden = message(with("/contact/phoneNumber", json!("123456789012345")));
    assert_eq!(hidden.from, Sender::Lid("123456789012345".into()), "a hidden id in the number's place is no phone");
    assert_eq!(message(with("/contact/phoneNumber", Value::Null)).from, Sender::Lid("123456789012345".into()));
}

#[test]
fn whazing_ticket_events_are_ignored() {
    let body = json!({"Type": "NewTicket", "ticket": {"id": 5, "status": "pending"}, "contact": {"number": ANA}});
    assert_eq!(ignored(body), IgnoreReason::Event);
}

// ---- Evolution-like wrappers

#[test]
fn evolution_wrappers() {
    let wrap = |event: &str, data: Value| json!({"event": event, "instance": "recepcao", "data": data, "sender": "5511900000000@s.whatsapp.net", "apikey": "k"});
    let inner = baileys(json!({"conversation": "Oi"}));
    for event in ["messages.upsert", "MESSAGES_UPSERT", "messages-upsert"] {
        assert_eq!(number(&message(wrap(event, inner.clone()))), ANA);
    }
    assert_eq!(all(wrap("messages.upsert", json!([inner, inner]))).len(), 2);
    assert_eq!(all(wrap("messages.upsert", json!({"type": "notify", "messages": [inner]}))).len(), 1);
    assert_eq!(ignored(wrap("connection.update", json!({"state": "open"}))), IgnoreReason::Event);
    assert_eq!(ignored(json!({"event": "qrcode.updated"})), IgnoreReason::Event);
    let mut own = inner;
    own["key"]["fromMe"] = json!(true);
    assert_eq!(echo(wrap("send.message", own)).to.reply_address(), ANA);
}

// ---- v2.4's own bodies

#[test]
fn v24_baileys_content_beside_a_number() {
    let m = message(json!({"message": {"conversation": "Oi"}, "number": ANA, "id": "abc"}));
    assert_eq!((text(&m), number(&m).as_str(), m.provider_id.as_deref()), ("Oi", ANA, Some("abc")));
    let whole = message(json!({"message": baileys(json!({"conversation": "Oi"})), "number": ANA}));
    assert_eq!(whole.provider_id.as_deref(), Some("3EB0C4"));
    let mut hidden = with_jid("123456789012345@lid");
    hidden["number"] = json!("11987654321");
    assert_eq!(number(&message(hidden)), ANA, "the plain number fills in for the hidden one");
}

#[test]
fn v24_numbers_wherever_they_stand() {
    for body in [
        json!({"from": ANA, "text": "Oi"}),
        json!({"contact": {"number": ANA}, "text": "Oi"}),
        json!({"contact": {"phone": ANA}, "body": "Oi"}),
        json!({"ticket": {"id": 1, "contact": {"number": ANA}}, "body": "Oi"}),
        json!({"ticket": {"id": 1, "contact": {"phone": "(11) 98765-4321"}}, "message": "Oi"}),
        json!({"message": {"conversation": "Oi"}, "from": format!("{ANA}@s.whatsapp.net")}),
        json!({"contact": {"number": 5_511_987_654_321_i64}, "message": {"text": "Oi"}}),
    ] {
        let m = message(body.clone());
        assert_eq!((text(&m), number(&m).as_str()), ("Oi", ANA), "{body}");
    }
}

#[test]
fn v24_texts_wherever_they_stand() {
    for body in [
        json!({"number": ANA, "text": "Oi"}),
        json!({"number": ANA, "body": "Oi"}),
        json!({"number": ANA, "caption": "Oi"}),
        json!({"number": ANA, "message": "Oi"}),
        json!({"number": ANA, "message": {"body": "Oi"}}),
        json!({"number": ANA, "message": {"caption": "Oi"}}),
        json!({"number": ANA, "message": {"interactiveResponseMessage": {"nativeFlowResponseMessage": {"paramsJson": "{\"title\":\"Oi\"}"}}}}),
    ] {
        assert_eq!(text(&message(body.clone())), "Oi", "{body}");
    }
}

#[test]
fn v24_messages_arrays_are_read_whole() {
    let first = baileys(json!({"conversation": "um"}));
    let second = baileys(json!({"conversation": "dois"}));
    let group = with_jid("1203@g.us");
    let read = all(json!({"messages": [first, second, group]}));
    assert_eq!(read.len(), 3);
    assert!(matches!(&read[1], Inbound::Message(m) if text(m) == "dois"));
    assert_eq!(read[2], Inbound::Ignored(IgnoreReason::Group));
    let flat = json!({"messages": [{"from": ANA, "id": "w1", "type": "text", "text": {"body": "Oi"}}]});
    let m = message(flat);
    assert_eq!((text(&m), m.provider_id.as_deref()), ("Oi", Some("w1")));
    let outer = json!({"messages": [{"message": {"conversation": "Oi"}}], "number": ANA});
    assert_eq!(number(&message(outer)), ANA);
    assert_eq!(ignored(json!({"messages": []})), IgnoreReason::Empty);
}

#[test]
fn one_broken_message_does_not_lose_the_others() {
    let good = baileys(json!({"conversation": "oi"}));
    let bad = json!({"from": "nobody", "text": "oi"});
    assert_eq!(all(json!({"messages": [bad, good]})).len(), 1);
    assert_eq!(bad_field(json!({"messages": [bad]})), "number");
}

// ---- (D) canonical

fn canonical() -> Value {
    json!({"id": "wamid-1", "number": ANA, "text": "Quero marcar", "name": "Ana", "timestamp": 1_760_000_000, "kind": "text", "channel": "whaticket"})
}

#[test]
fn canonical_full_and_minimal() {
    let m = message(canonical());
    assert_eq!((text(&m), number(&m).as_str(), m.provider_id.as_deref()), ("Quero marcar", ANA, Some("wamid-1")));
    assert_eq!(m.sent_at, Some(1_760_000_000));
    let minimal = message(json!({"number": 11_987_654_321_i64, "text": "oi"}));
    assert_eq!((number(&minimal).as_str(), minimal.provider_id, minimal.name), (ANA, None, None));
}

#[test]
fn canonical_aliases() {
    for (n, t) in [("number", "message"), ("from", "body"), ("sender", "text")] {
        assert_eq!(text(&message(json!({n: ANA, t: "Oi"}))), "Oi", "{n} {t}");
    }
    assert_eq!(message(json!({"number": ANA, "text": "Oi", "id": 42})).provider_id.as_deref(), Some("42"));
    assert_eq!(message(json!({"number": ANA, "text": "Oi", "id": null, "name": null, "kind": null})).provider_id, None);
}

#[test]
fn canonical_mistakes_are_named() {
    for (body, field) in [
        (json!({}), "number"),
        (json!({"number": ANA}), "text"),
        (json!({"number": ANA, "text": null}), "text"),
        (json!({"number": ANA, "text": 5}), "text"),
        (json!({"number": ANA, "text": {"body": "x"}}), "text"),
        (json!({"text": "oi"}), "number"),
        (json!({"number": "sem digitos", "text": "oi"}), "number"),
        (json!({"number": "123", "text": "oi"}), "number"),
        (json!({"number": true, "text": "oi"}), "number"),
        (json!({"number": {"a": 1}, "text": "oi"}), "number"),
        (json!({"number": ANA, "text": "oi", "id": {}}), "id"),
        (json!({"number": ANA, "text": "oi", "id": "a\r\nb"}), "id"),
        (json!({"number": ANA, "text": "oi", "id": "x".repeat(201)}), "id"),
        (json!({"number": ANA, "text": "oi", "name": 5}), "name"),
        (json!({"number": ANA, "text": "oi", "kind": []}), "kind"),
        (json!({"number": ANA, "text": "oi", "timestamp": true}), "timestamp"),
    ] {
        assert_eq!(bad_field(body.clone()), field, "{body}");
    }
}

#[test]
fn canonical_media_groups_echoes_and_empty_texts() {
    let with = |field: &str, value: Value| {
        let mut body = canonical();
        body[field] = value;
        body
    };
    assert_eq!(ignored(with("text", json!("  "))), IgnoreReason::Empty);
    assert_eq!(ignored(with("number", json!("1203@g.us"))), IgnoreReason::Group);
    assert_eq!(echo(with("fromMe", json!(true))).to.reply_address(), ANA);
    assert_eq!(message(with("number", json!("123456789012345@lid"))).from, Sender::Lid("123456789012345".into()));
    let mut audio = with("kind", json!("audio"));
    audio["text"] = json!("");
    let m = message(audio);
    assert_eq!((m.text, m.kind), (None, MessageKind::Audio));
    assert_eq!(message(with("kind", json!("novidade"))).kind, MessageKind::Text);
}

// ---- forks' events are never an error without text, but a text without a number is

#[test]
fn forks_without_text_are_ignored_and_without_number_refused() {
    for body in
        [json!({"ticket": {"id": 1}}), json!({"contact": {"number": ANA}}), json!({"message": {}, "number": ANA})]
    {
        assert_eq!(ignored(body.clone()), IgnoreReason::Empty, "{body}");
    }
    assert_eq!(bad_field(json!({"mensagem": "oi"})), "number");
    assert_eq!(bad_field(json!({"mensagem": "oi", "sender": "ninguém"})), "number");
    assert_eq!(bad_field(json!({"message": {"conversation": "oi"}, "number": "abc"})), "number");
    let mut no_jid = baileys(json!({"conversation": "oi"}));
    no_jid["key"]["remoteJid"] = Value::Null;
    assert_eq!(bad_field(no_jid), "number");
    let mut evil = baileys(json!({"conversation": "oi"}));
    evil["key"]["id"] = json!("a\u{0}b");
    assert_eq!(bad_field(evil), "id");
}

// ---- what is no message at all

#[test]
fn what_is_no_json_object_is_refused_without_a_field() {
    let deep = format!("{{\"number\":\"{ANA}\",\"text\":\"oi\",\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let bodies: [&[u8]; 9] = [
        b"",
        b"null",
        b"[]",
        b"\"oi\"",
        b"{",
        b"{\"number\":\"1\"} x",
        b"{\"text\":\"\xff\"}",
        b"{\"text\":\"\\ud800\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        assert_eq!(read(body).expect_err("must be refused").field, None, "{}", String::from_utf8_lossy(body));
    }
    let fits = format!("{{\"number\":\"{ANA}\",\"text\":\"[[{{\\\"\",\"x\":{}{}}}", "[".repeat(31), "]".repeat(31));
    assert!(read(fits.as_bytes()).is_ok(), "32 levels are allowed and brackets in strings do not count");
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = [
        "key",
        "message",
        "messages",
        "number",
        "from",
        "sender",
        "contact",
        "ticket",
        "ticketData",
        "text",
        "body",
        "caption",
        "id",
        "fromMe",
        "remoteJid",
        "conversation",
        "event",
        "data",
        "mensagem",
        "messageBody",
        "ephemeralMessage",
        "imageMessage",
        "messageTimestamp",
        "timestamp",
        "low",
        "high",
        "type",
        "mediaType",
        "lid",
        "kind",
        "name",
        "attachments",
        "editedMessage",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            ANA,
            "5511987654321@s.whatsapp.net",
            "12345@lid",
            "x@g.us",
            "oi",
            "image",
            "messages.upsert"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(keys.to_vec()), inner, 0..6)
                .prop_map(|fields| { Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()) }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&body);
    }

    #[test]
    fn no_json_makes_the_reader_panic_or_return_nothing(body in any_json()) {
        match read(body.to_string().as_bytes()) {
            Ok(read) => prop_assert!(!read.is_empty()),
            Err(error) => prop_assert!(error.field.is_some() || !body.is_object()),
        }
    }
}
