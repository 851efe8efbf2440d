//! The words in a name: `checkInDateLocalized` is check, in, date, localized.

/// Names that are written as one word, and the words of other languages, as the rules of [`super::rules`] know them.
const MEANS: &[(&str, &str)] = &[
    ("checkin", "check in"),
    ("checkout", "check out"),
    ("firstname", "first name"),
    ("forename", "first name"),
    ("lastname", "last name"),
    ("surname", "last name"),
    ("familyname", "last name"),
    ("fullname", "full name"),
    ("guestname", "guest name"),
    ("startdate", "start date"),
    ("enddate", "end date"),
    ("arrivaldate", "arrival date"),
    ("departuredate", "departure date"),
    ("timestamp", "time stamp"),
    ("phonenumber", "phone number"),
    ("mobile", "phone"),
    ("telephone", "phone"),
    ("mail", "email"),
    ("arrive", "arrival"),
    ("arriving", "arrival"),
    ("depart", "departure"),
    ("leaving", "departure"),
    ("adults", "adult"),
    ("children", "child"),
    ("kids", "child"),
    ("infants", "infant"),
    ("babies", "infant"),
    ("pets", "pet"),
    ("persons", "people"),
    ("pax", "people"),
    ("travellers", "people"),
    ("travelers", "people"),
    ("nr", "number"),
    ("no", "number"),
    ("num", "number"),
    ("uid", "id"),
    ("uuid", "id"),
    ("guid", "id"),
    ("ids", "id"),
    ("ref", "reference"),
    ("state", "status"),
    ("taxes", "tax"),
    ("vat", "tax"),
    ("fees", "fee"),
    ("properties", "property"),
    ("accomodation", "accommodation"),
    ("apartments", "apartment"),
    ("prop", "property"),
    ("lodging", "property"),
    ("amt", "amount"),
    ("modification", "modified"),
    ("changed", "modified"),
    ("updated", "modified"),
    ("update", "modified"),
    ("msg", "message"),
    // German
    ("anreise", "arrival"),
    ("abreise", "departure"),
    ("ankunft", "arrival"),
    ("vorname", "first name"),
    ("nachname", "last name"),
    ("gast", "guest"),
    ("gäste", "guests"),
    ("gaeste", "guests"),
    ("personen", "people"),
    ("erwachsene", "adult"),
    ("kinder", "child"),
    ("telefon", "phone"),
    ("preis", "price"),
    ("gesamtpreis", "total price"),
    ("währung", "currency"),
    ("waehrung", "currency"),
    ("unterkunft", "property"),
    ("objekt", "property"),
    ("buchung", "booking"),
    ("buchungsnummer", "booking number"),
    ("sprache", "language"),
    // Spanish, Italian, Portuguese
    ("llegada", "arrival"),
    ("entrada", "arrival"),
    ("arrivo", "arrival"),
    ("chegada", "arrival"),
    ("salida", "departure"),
    ("partenza", "departure"),
    ("saída", "departure"),
    ("saida", "departure"),
    ("reserva", "reservation"),
    ("prenotazione", "reservation"),
    ("nombre", "name"),
    ("nome", "name"),
    ("apellido", "last name"),
    ("apellidos", "last name"),
    ("cognome", "last name"),
    ("huésped", "guest"),
    ("huesped", "guest"),
    ("ospite", "guest"),
    ("hóspede", "guest"),
    ("huéspedes", "guests"),
    ("ospiti", "guests"),
    ("adultos", "adult"),
    ("adulti", "adult"),
    ("niños", "child"),
    ("bambini", "child"),
    ("precio", "price"),
    ("prezzo", "price"),
    ("moneda", "currency"),
    ("valuta", "currency"),
    ("alojamiento", "property"),
    ("alloggio", "property"),
    ("estado", "status"),
    ("stato", "status"),
    ("teléfono", "phone"),
    ("telefono", "phone"),
    // French, Dutch
    ("arrivée", "arrival"),
    ("arrivee", "arrival"),
    ("départ", "departure"),
    ("aankomst", "arrival"),
    ("vertrek", "departure"),
    ("prénom", "first name"),
    ("prenom", "first name"),
    ("voornaam", "first name"),
    ("achternaam", "last name"),
    ("nom", "name"),
    ("voyageurs", "people"),
    ("personnes", "people"),
    ("adultes", "adult"),
    ("enfants", "child"),
    ("prix", "price"),
    ("prijs", "price"),
    ("devise", "currency"),
    ("logement", "property"),
    ("statut", "status"),
    ("réservation", "reservation"),
    ("reservering", "reservation"),
];

/// The words of a name in lower case, each as the rules know it.
pub fn words(name: &str) -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        // camelCase, and the last capital of an acronym before a word: `reservationID`, `IDNumber`.
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || b.is_ascii_digit() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        let turns = before.is_some_and(|b| b.is_ascii_digit() != c.is_ascii_digit());
        if !c.is_alphanumeric() || begins || turns {
            plain.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    plain.push(word);
    plain.retain(|word| !word.is_empty());
    plain
        .iter()
        .flat_map(|word| {
            let known = MEANS.iter().find(|(one, _)| one == word);
            known
                .map_or(word.as_str(), |(_, means)| means)
                .split(' ')
                .map(str::to_owned)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_apart_into_words() {
        for (name, apart) in [
            ("checkInDateLocalized", "check in date localized"),
            ("reservationID", "reservation id"),
            ("propertyID_str", "property id str"),
            ("guest-name", "guest name"),
            ("numAdult", "number adult"),
            ("phone_last_4", "phone last 4"),
            ("IDNumber", "id number"),
            ("firstname", "first name"),
            ("Anreise", "arrival"),
            ("lastUpdatedAt", "last modified at"),
            ("_id", "id"),
        ] {
            assert_eq!(words(name).join(" "), apart);
        }
    }
}
