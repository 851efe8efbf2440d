//! Whatever is posted: nothing panics.

use proptest::prelude::*;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("booking.updated".to_owned()),
        Just("2027-05-01T00:00:00Z".to_owned()),
        Just("-1e5".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,30})?(e[0-9]{1,3})?".prop_map(|n| serde_json::from_str(&n).unwrap()),
        text.prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("code"),
        Just("data"),
        Just("type"),
        Just("guest"),
        Just("listing"),
        Just("status"),
        Just("id"),
        Just("bookingId"),
        Just("stay_dates"),
        Just("date"),
        Just("total"),
        Just("amount"),
        Just("check_in"),
        Just("check_out_date"),
        Just("start_date"),
        Just("payment"),
        Just("message"),
        Just("updated_at"),
        Just("money"),
        Just("child_reservations"),
        Just("phone_last_4"),
        Just("guests"),
        Just("ids"),
        Just("partial"),
        Just("é"),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..12)
                .prop_map(|entries| entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

fn every_source() -> Vec<Source> {
    vec![
        source("preset: hospitable-v1\ntoken: t"),
        source("preset: hostelmate\nsecret: s"),
        source("preset: generic\nauth: none"),
        mapping(
            "receipt_key: [[\"$.*\", header.x], {hash: body, without: [$..id]}]
reservation: {ids: \"$..id\", status: $.*, guests: {from: $.*, pick: max}, check_out_date: {from: $..date, plus_days: 366},
  money: {total: {from: $.*, pick: sum, minor: true}}, check_in: $..check_in}",
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_mapped_or_refused(body in any_json()) {
        for source in every_source() {
            let key = source.receipt_key(b"", &body, &no_headers);
            // Read again from its text it is the same delivery.
            let again = json(&body.to_string());
            prop_assert_eq!(key, source.receipt_key(b"", &again, &no_headers));
            if let Mapped::Facts { facts, .. } = source.map(&body, &no_headers) {
                for fact in facts {
                    prop_assert!(fact.stay.all().all(|name| !name.is_empty()));
                }
            }
        }
    }

    #[test]
    fn any_header_is_believed_or_not(
        value in proptest::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..], 0..80),
        prefix in prop_oneof![
            Just(""), Just("sha256="), Just("Bearer "), Just("Basic "), Just("1801126800"), Just("t=1801126800,v1="), Just("v1,"),
        ],
        query in "\\PC{0,40}",
        path in "\\PC{0,20}",
    ) {
        let bytes: Vec<u8> = prefix.bytes().chain(value).collect();
        let value = HeaderValue::from_bytes(&bytes).unwrap();
        let mut headers = HeaderMap::new();
        for name in [
            "authorization", "x-signature", "x-timestamp", "x-hm-signature", "stripe-signature", "svix-id", "svix-timestamp",
            "svix-signature", "x-id",
        ] {
            headers.insert(name, value.clone());
        }
        let request = Request {
            path_token: Some(&path), query: &query, headers: &headers, raw: &bytes, decoded: b"", client_ip: None, now: now(),
        };
        for settings in [
            "preset: hostelmate\nsecret: s\ntoken: long-enough",
            "preset: generic\nauth: {hmac: {header: X-Signature, encoding: base64, signed: '{ts}.{body}', timestamp: {header: X-Timestamp}}}\nsecret: s",
            "preset: generic\nbasic: {username: a, password: long-enough}",
            "preset: generic\nauth: {any: [{stripe: {}}, {standard_webhooks: {}}]}\nsecret: bG9uZy1lbm91Z2g=",
            "preset: generic\nauth: {hmac: {header: X-Signature, separator: ',', signed: '{id} {ts}{body}', id: {header: X-Id}, timestamp: {prefix: t=}}}\nsecret: s",
            "preset: generic\nauth: {any: [{token: {query: t}}, {token: {body: $.t}}]}\ntoken: long-enough",
        ] {
            prop_assert!(source(settings).authenticate(&request).is_err());
        }
    }
}
