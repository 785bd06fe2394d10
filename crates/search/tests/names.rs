//! Which spellings are the same person, which are not, and who comes first.

use rabta_search::{Field, Key, Query, name_keys, name_length, number_keys, phone_keys, skeleton};

fn finds(query: &str, name: &str) -> bool {
    score(query, name).is_some()
}

fn score(query: &str, name: &str) -> Option<u32> {
    let keys = name_keys(name);
    let query = Query::parse(query)?;
    // The index must lead to whatever the ranking accepts.
    let reached = query.tokens().iter().all(|token| {
        let ranges = token.ranges();
        let is_meant = |key: &Key| {
            let in_vocabulary = token.vocabulary().iter().any(|range| range.holds(key.as_str()));
            in_vocabulary && key.is_word() && token.meant(key.as_str()).is_some()
        };
        keys.iter().any(|key| ranges.iter().any(|range| range.holds(key.as_str())) || is_meant(key))
    });
    let score = query.score(keys.iter().map(|k| (Field::Name, name_length(name), k.as_str())));
    assert!(score.is_none() || reached, "the ranking accepts what the index would not find");
    score
}

#[test]
fn spellings_of_one_name_find_each_other() {
    for group in [
        &["Muhammad", "Mohammad", "Mohammed", "Muhammed", "Mohamad", "Mohd", "Md", "MD.", "محمد"][..],
        &["Hussain", "Husain", "Hussein", "Hosain", "حسین"],
        &["Aisha", "Ayesha", "Aysha", "Aesha", "عائشہ", "عایشہ"],
        &["Khadija", "Khadeeja", "Khadijah", "خدیجہ"],
        &["Qasim", "Kasim", "Qaseem", "قاسم"],
        &["Usman", "Osman", "Usmaan", "Uthman", "عثمان"],
        &["Fatima", "Fatimah", "Fathima", "Faatima", "فاطمہ", "فاطمة"],
        &["Yousaf", "Yusuf", "Yousuf", "Yoosaf", "یوسف"],
        &["Noor", "Nur", "Noour", "نور"],
        &["Shaikh", "Sheikh", "Shaykh", "شیخ"],
        &["Rehman", "Rahman", "Rahmaan", "رحمان", "رحمٰن"],
        &["Parveen", "Parvin", "Perveen", "Parween", "پروین"],
        &["Saleem", "Salim", "Saleem", "سلیم"],
        &["Zulfiqar", "Zulfikar", "Zulfeqar", "ذوالفقار"],
        &["Rukhsana", "Ruksana", "Rukhsaana", "رخسانہ"],
        &["Shahnaz", "Shehnaz", "شہناز"],
        &["Imran", "Emran", "Imraan", "عمران"],
        &["Ghulam", "Gulam", "Ghulaam", "غلام"],
        &["Waqas", "Vaqas", "Wakas", "وقاص"],
        &["Zainab", "Zaynab", "Zenab", "زینب"],
        &["Mumtaz", "Mumtaaz", "ممتاز"],
        &["Saleh", "Salih", "صالح"],
        &["Yahya", "Yehya", "یحییٰ"],
        &["Abdullah", "Abdulla", "عبداللہ"],
        &["Allahwasaya", "Allah Wasaya", "اللہ وسایا", "اللہوسایا"],
        &["Allah Bux", "Allah Bakhsh", "Allahbux", "اللہ بخش"],
    ] {
        for query in group {
            for name in group {
                assert!(
                    finds(query, name),
                    "{query} does not find {name}: {} {}",
                    skeleton(&query.to_lowercase()),
                    skeleton(&name.to_lowercase())
                );
            }
        }
    }
}

#[test]
fn different_names_do_not_find_each_other() {
    for (query, name) in [
        ("Muhammad", "Hamid"),
        ("Aisha", "Asma"),
        ("Ali", "Akram"),
        ("Fatima", "Bushra"),
        ("Nasreen", "Parveen"),
        ("Imran", "Kamran"),
        ("Khalid", "Javed"),
        ("محمد", "احمد خان"),
        ("Saima", "Naeem"),
        ("Zahid", "Tahir"),
    ] {
        let strict = score(query, name).is_none_or(|s| s < 400);
        assert!(strict, "{query} takes {name} for the same");
    }
    assert!(!finds("Ali", "Akram"));
    assert!(!finds("Fatima", "Bushra"));
    assert!(!finds("Khalid", "Javed"));
}

#[test]
fn the_better_spelling_comes_first() {
    for (query, better, worse) in [
        ("hussain", "Hussein", "Hassan"),
        ("hussain", "Hussain", "Husain"),
        ("sajid", "Sajid", "Sajjad"),
        ("mehmood", "Mehmood", "Muhammad"),
        ("muhammad", "Mohammad", "Mahmood"),
        ("ali", "Ali", "Aliya"),
        ("naveed", "Naveed", "Nadia"),
        ("ayesha bibi", "Ayesha Bibi", "Ayesha Bibi Khatoon Begum"),
        ("akram", "Akram", "Ikram"),
    ] {
        assert!(score(query, better) > score(query, worse), "{query}: {better} before {worse}");
    }
}

#[test]
fn words_come_in_any_order_and_unfinished() {
    for (query, name) in [
        ("bibi ayesha", "Ayesha Bibi"),
        ("aye", "Ayesha Bibi"),
        ("muh akr", "Muhammad Akram"),
        ("akram moha", "Muhammad Akram"),
        ("عا", "عائشہ بی بی"),
        ("اکر محمد", "محمد اکرم"),
        ("Mst. Ayesha w/o Akram", "Ayesha Akram"),
        ("shah", "Syed Shah"),
        ("a", "Aslam"),
    ] {
        assert!(finds(query, name), "{query}");
    }
    assert!(!finds("ayesha rehman", "Ayesha Bibi"));
}

#[test]
fn every_beginning_of_a_name_finds_it() {
    for name in
        ["Muhammad", "Rukhsana", "Zulfiqar", "Ayesha", "Khadija", "Shahnaz", "محمد", "عائشہ", "Abdurrehman"]
    {
        let letters: Vec<char> = name.chars().collect();
        for n in 1..=letters.len() {
            let typed: String = letters[..n].iter().collect();
            assert!(finds(&typed, name), "{typed} of {name}");
        }
    }
}

#[test]
fn names_written_as_one_word_or_two_are_the_same() {
    for (query, name) in [
        ("noorjahan", "Noor Jahan"),
        ("noor jahan", "Noorjahan"),
        ("abdul rehman", "Abdurrehman"),
        ("abdurrahman", "Abdul Rehman"),
        ("abdur rahman", "Abdul Rehman"),
        ("عبدالرحمن", "Abdul Rehman"),
        ("عبد الرحمن", "عبدالرحمن"),
        ("abdul ghani", "Abdulghani"),
    ] {
        assert!(finds(query, name), "{query} / {name}");
    }
}

#[test]
fn an_m_in_a_name_is_muhammad_and_typed_it_begins_any_name() {
    for query in ["Muhammad Shahid", "mohd shahid", "محمد شاہد", "m shahid"] {
        assert!(finds(query, "M. Shahid"), "{query}");
    }
    assert!(finds("m", "Maryam") && finds("m shahid", "Shahid Mansoor"));
}

#[test]
fn one_word_of_theirs_is_no_answer_to_two_words_of_the_query() {
    let registered = |name: &str, father: &str| {
        let mut keys: Vec<_> =
            name_keys(name).into_iter().map(|key| (Field::Name, name_length(name), key)).collect();
        keys.extend(name_keys(father).into_iter().map(|key| (Field::Relative, 0, key)));
        keys
    };
    let score = |query: &str, keys: &[(Field, u8, Key)]| {
        let query = Query::parse(query).expect("words");
        query.score(keys.iter().map(|(field, length, key)| (*field, *length, key.as_str())))
    };
    let (right, wrong) = (registered("Ayesha", "Ashraf Ahmed"), registered("Ashraf Ahmed", "Abdul Hamid"));
    let (right, wrong) = (score("Aesha Ashraf Ahmed", &right), score("Aesha Ashraf Ahmed", &wrong));
    assert!(right > wrong, "{right:?} {wrong:?}");
    let (right, wrong) = (registered("Maryam", "Muhammad Bashir"), registered("Muhammad Bashir", "Ali"));
    assert!(score("Mayam Muhammad Bashir", &right) > score("Mayam Muhammad Bashir", &wrong));
    // Two words that are one of theirs are both answered by it.
    let (joined, other) = (registered("Noorjahan", "Ali"), registered("Noor", "Ali"));
    assert!(score("Noor Jahan", &joined).is_some() && score("Noor Jahan", &other).is_none());
}

#[test]
fn names_are_read_as_people_say_them() {
    let somebody = |name: &str, father: &str, village: &str| {
        let of = |field, text: &str| {
            name_keys(text).into_iter().map(|key| (field, name_length(text), key)).collect::<Vec<_>>()
        };
        [of(Field::Name, name), of(Field::Relative, father), of(Field::Place, village)].concat()
    };
    let score = |query: &str, (name, father, village): (&str, &str, &str)| {
        let query = Query::parse(query).expect("words");
        let keys = somebody(name, father, village);
        query.score(keys.iter().map(|(field, length, key)| (*field, *length, key.as_str())))
    };
    for (query, better, worse) in [
        // Just this name comes first, also where a father or a village is asked for with it.
        ("farzana attock", ("Farzana", "Ali", "Attock"), ("Farzana Bibi", "Ali", "Attock")),
        ("nazia akram", ("Nazia", "Akram", "Attock"), ("Nazia", "Akram Ali Khan", "Attock")),
        // The patient first, then the father.
        (
            "yaseen muhammad anwar",
            ("Yaseen", "Muhammad Anwar", "Bhakkar"),
            ("Muhammad Anwar", "Muhammad Yaseen", "Bhakkar"),
        ),
        (
            "muhammad khalid muhammad ahmad",
            ("Muhammad Khalid", "Muhammad Ahmad", "Attock"),
            ("Muhammad Ahmad", "Muhammad Khalid", "Attock"),
        ),
        // A name of both answers each for itself.
        (
            "muhammad rafeeq muhammad ramzan",
            ("Muhammad Rafeeq", "Muhammad Ramzan", "Attock"),
            ("Muhammad Ramzan", "Rafiq Iqbal", "Attock"),
        ),
        // What one slip leads to comes before what only begins with the same sounds.
        ("kian ramzan", ("Kiran", "Ramzan", "Attock"), ("Kanwal", "Ramzan", "Attock")),
        // Long vowels tell names apart that have the same consonants.
        ("سلمیٰ اکرم", ("Salma", "Akram", "Attock"), ("Saleem", "Akram", "Attock")),
        ("سلیم اکرم", ("Saleem", "Akram", "Attock"), ("Salma", "Akram", "Attock")),
        ("فاطمہ بی بی", ("Fatima Bibi", "Akram", "Attock"), ("Fatima Bashir", "Akram", "Attock")),
    ] {
        assert!(score(query, better) > score(query, worse), "{query}: {better:?} before {worse:?}");
    }
    assert!(finds("غلام مصطفی", "G. Mustafa") && finds("ghulam mustafa", "Gh. Mustafa"));
}

#[test]
fn one_slip_of_a_key_is_forgiven() {
    for (query, name) in [
        ("muhamnad", "Muhammad"),
        ("rukhsama", "Rukhsana"),
        ("zulfqiar", "Zulfiqar"),
        ("nasrreem", "Nasreen"),
        ("shahbza", "Shahbaz"),
    ] {
        assert!(finds(query, name), "{query} / {name}");
    }
    assert!(score("rukhsana", "Rukhsana") > score("rukhsama", "Rukhsana"));
}

fn by_number(query: &str, keys: &[Key]) -> bool {
    let query = Query::parse(query).expect("there are digits in it");
    let held =
        query.tokens().iter().all(|t| t.ranges().iter().any(|r| keys.iter().any(|k| r.holds(k.as_str()))));
    let scored = query.score(keys.iter().map(|k| (Field::Paper, 0, k.as_str()))).is_some();
    assert_eq!(held, scored);
    scored
}

#[test]
fn numbers_are_found_however_they_are_written() {
    let cnic = number_keys("35202-1234567-1");
    for query in ["35202-1234567-1", "3520212345671", "35202 1234567 1", "35202", "۳۵۲۰۲-۱۲۳۴۵۶۷-۱"]
    {
        assert!(by_number(query, &cnic), "{query}");
    }
    assert!(!by_number("35202-1234568", &cnic));

    let phone = phone_keys("0300-1234567");
    for query in ["0300-1234567", "03001234567", "+92 300 1234567", "00923001234567", "0300 123", "300123"] {
        assert!(by_number(query, &phone), "{query}");
    }
    assert!(!by_number("0301", &phone));
    assert!(phone_keys("none").is_empty());

    let mr = number_keys("3740-000123-4");
    for query in ["3740-000123-4", "37400001234", "MR 3740-0001", "1234", "123-4"] {
        assert!(by_number(query, &mr), "{query}");
    }
    assert!(by_number("AB1234567", &number_keys("AB-1234567")));
}

#[test]
fn a_name_and_a_number_narrow_each_other() {
    let mut keys: Vec<(Field, Key)> =
        name_keys("Ayesha Bibi").into_iter().map(|k| (Field::Name, k)).collect();
    keys.extend(phone_keys("0300-1234567").into_iter().map(|k| (Field::Phone, k)));
    let score =
        |q: &str| Query::parse(q).and_then(|q| q.score(keys.iter().map(|(f, k)| (*f, 2, k.as_str()))));
    assert!(score("ayesha 0300").is_some());
    assert!(score("ayesha 0301").is_none());
}

#[test]
fn own_names_come_before_relatives_and_places() {
    let keys = name_keys("Akram");
    let query = Query::parse("akram").expect("a word");
    let as_field = |field| query.score(keys.iter().map(|k| (field, 1, k.as_str())));
    assert!(as_field(Field::Name) > as_field(Field::Relative));
    assert!(as_field(Field::Relative) > as_field(Field::Place));
}

#[test]
fn nothing_to_look_for_is_no_query_and_nothing_breaks_it() {
    for text in ["", "   ", "-/-", "\u{0}\u{1}", "؟"] {
        assert!(Query::parse(text).is_none());
    }
    let long = "محمد ".repeat(2000);
    assert!(Query::parse(&long).is_some());
    for odd in ["Ñandú", "中文 名字", "Ибрагим", "🙂 ali", "ǅ", "ﷺ محمد"] {
        let query = Query::parse(odd).expect("letters");
        assert!(query.score(name_keys(odd).iter().map(|k| (Field::Name, 2, k.as_str()))).is_some(), "{odd}");
    }
}

#[test]
fn keys_and_queries_print_nothing() {
    assert_eq!(format!("{:?} {:?}", name_keys("Ali")[0], Query::parse("Ali")), "[..] Some(Query[1 tokens])");
}
