//! Telephone numbers: what people type, what WhatsApp writes, and one person behind several forms.

use proptest::prelude::*;
use secretaria::domain::phone::Phone;

fn typed(raw: &str) -> Option<String> {
    Phone::typed(raw).map(|p| p.digits().to_owned())
}

fn jid(user: &str) -> Option<String> {
    Phone::from_jid_user(user).map(|p| p.digits().to_owned())
}

#[test]
fn a_brazilian_number_typed_without_country_code_gets_55() {
    for raw in ["11987654321", "(11) 98765-4321", "011 98765-4321", "0 15 11 98765-4321", "+55 (011) 98765-4321"] {
        assert_eq!(typed(raw).as_deref(), Some("5511987654321"), "{raw}");
    }
    assert_eq!(typed("(41) 3322-1100").as_deref(), Some("554133221100"));
}

#[test]
fn a_number_with_country_code_stays() {
    for (raw, digits) in [
        ("5511987654321", "5511987654321"),
        ("+55 11 98765-4321", "5511987654321"),
        ("005511987654321", "5511987654321"),
        ("551187654321", "551187654321"),
        ("14155552671", "14155552671"),
        ("+1 (415) 555-2671", "14155552671"),
        ("+351 912 345 678", "351912345678"),
        ("+51 987 654 321", "51987654321"),
    ] {
        assert_eq!(typed(raw).as_deref(), Some(digits), "{raw}");
    }
}

#[test]
fn the_area_code_55_is_not_mistaken_for_the_country() {
    assert_eq!(typed("55 99123-4567").as_deref(), Some("5555991234567"));
    assert_eq!(typed("(55) 3221-1234").as_deref(), Some("555532211234"));
    assert_eq!(typed("55 55 99123-4567").as_deref(), Some("5555991234567"));
}

#[test]
fn what_is_no_whole_number_is_refused() {
    for raw in ["", "abc", "+", "00", "0", "98765-4321", "12345678", "0987", "٠١١٩٨٧٦٥٤٣٢١", "+1234567890123456"]
    {
        assert_eq!(typed(raw), None, "{raw}");
    }
}

#[test]
fn an_area_code_that_does_not_exist_gets_no_55() {
    assert_eq!(typed("20987654321").as_deref(), Some("20987654321"));
    assert_eq!(typed("020 98765-4321"), None);
}

#[test]
fn a_jid_is_taken_as_it_is() {
    assert_eq!(jid("11987654321").as_deref(), Some("11987654321"));
    assert_eq!(jid("5511987654321:12").as_deref(), Some("5511987654321"));
    assert_eq!(jid("5511987654321_1:12").as_deref(), Some("5511987654321"));
    for bad in ["", "status", "0", "0123456789", "1234567", "1234567890123456", "55119876x4321"] {
        assert_eq!(jid(bad), None, "{bad}");
    }
}

#[test]
fn both_forms_of_a_mobile_are_one_person() {
    let old = Phone::from_jid_user("551187654321").unwrap();
    let new = Phone::from_jid_user("5511987654321").unwrap();
    assert_eq!(old.person_key(), "5511987654321");
    assert_eq!(old.person_key(), new.person_key());
    assert_eq!(old.variants(), ["5511987654321", "551187654321"]);
    assert_eq!(old.variants(), new.variants());
    assert_eq!(old.digits(), "551187654321", "answers go to the form received");
}

#[test]
fn landlines_foreign_numbers_and_invalid_area_codes_have_one_form() {
    for digits in ["554133221100", "14155552671", "552087654321", "351912345678"] {
        let phone = Phone::from_jid_user(digits).unwrap();
        assert_eq!(phone.person_key(), digits);
        assert_eq!(phone.variants(), [digits]);
    }
}

#[test]
fn a_log_shows_a_salted_hash_and_two_digits() {
    let old = Phone::from_jid_user("551187654321").unwrap();
    let new = Phone::from_jid_user("5511987654321").unwrap();
    let mask = new.masked(b"salt");
    assert_eq!(mask, old.masked(b"salt"));
    assert_ne!(mask, new.masked(b"other"));
    assert!(mask.ends_with("-21") && mask.len() == 13, "{mask}");
    assert!(!mask.contains("8765") && !format!("{new:?}").contains("8765"));
}

#[test]
fn exactly_the_area_codes_in_use_count() {
    let valid = (0..100).filter(|ddd| typed(&format!("{ddd:02}987654321")).is_some_and(|d| d.starts_with("55")));
    // 55 itself would keep its digits if it were invalid, so compare the length too.
    let valid: Vec<u32> = valid.filter(|ddd| typed(&format!("{ddd:02}987654321")).unwrap().len() == 13).collect();
    assert_eq!(valid.len(), 67, "{valid:?}");
}

proptest! {
    #[test]
    fn reading_never_panics_and_gives_whole_numbers(raw in "\\PC{0,40}") {
        for phone in [Phone::typed(&raw), Phone::from_jid_user(&raw)].into_iter().flatten() {
            prop_assert!((8..=15).contains(&phone.digits().len()));
            prop_assert!(phone.digits().bytes().all(|b| b.is_ascii_digit()));
            prop_assert!(!phone.digits().starts_with('0'));
        }
    }

    #[test]
    fn punctuation_does_not_matter(digits in "[1-9][0-9]{9,12}", at in 0_usize..9) {
        let mut spaced = digits.clone();
        spaced.insert_str(at, " (-.");
        prop_assert_eq!(typed(&spaced), typed(&digits));
    }

    #[test]
    fn every_variant_leads_to_the_same_person(digits in "(55[1-9][1-9]9?[0-9]{8}|[1-9][0-9]{7,14})") {
        let phone = Phone::from_jid_user(&digits).unwrap();
        let variants = phone.variants();
        prop_assert!(variants.contains(&digits));
        prop_assert_eq!(&variants[0], &phone.person_key());
        for variant in &variants {
            let other = Phone::from_jid_user(variant).unwrap();
            prop_assert_eq!(other.person_key(), phone.person_key());
            prop_assert_eq!(other.variants(), variants.clone());
        }
    }

    #[test]
    fn a_typed_international_number_equals_its_jid(digits in "[1-9][0-9]{7,14}") {
        prop_assume!(!digits.starts_with("550"));
        prop_assert_eq!(typed(&format!("+{digits}")), jid(&digits));
        prop_assert_eq!(typed(&format!("00{digits}")), jid(&digits));
    }
}

#[test]
fn the_number_is_found_in_what_a_customer_writes() {
    for (text, digits) in [
        ("meu número é 11 98765-4321, me liga", Some("5511987654321")),
        ("liga no (41)3322-1100!", Some("554133221100")),
        ("zap: 55 11  98765 4321", Some("5511987654321")),
        ("tenho 2 filhos, tel 011 98765.4321", Some("5511987654321")),
        ("às 15 11 98765-4321", Some("5511987654321")),
        ("estou em Lisboa, +351 912 345 678", Some("351912345678")),
        ("o antigo era (11) 8765-4321", Some("551187654321")),
        ("cpf 123.456.789-00", None),
        ("98765-4321", None),
        ("dia 10/12/2026 às 14:30", None),
        ("código a11987654321", None),
        ("(20) 3322-1100", None),
        ("paguei 1.200,50 em 10 vezes", None),
    ] {
        assert_eq!(Phone::find(text).map(|phone| phone.digits().to_owned()).as_deref(), digits, "{text}");
    }
}

proptest! {
    #[test]
    fn looking_for_a_number_never_fails(text in any::<String>()) {
        let _ = Phone::find(&text);
    }

    #[test]
    fn a_number_is_found_however_it_is_written(ddd in prop::sample::select(vec!["11", "21", "47", "85", "99"]), rest in "[0-9]{8}") {
        let (a, b) = rest.split_at(4);
        for written in [format!("{ddd}9{rest}"), format!("({ddd}) 9{a}-{b}"), format!("+55 {ddd} 9 {a} {b}"), format!("0{ddd} 9{a}.{b}")] {
            let found = Phone::find(&format!("oi, meu fone é {written} tá?"));
            prop_assert_eq!(found.map(|phone| phone.digits().to_owned()), Some(format!("55{ddd}9{rest}")));
        }
    }
}
