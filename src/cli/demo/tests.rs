use super::*;

#[test]
fn every_difference_is_told() {
    let effect = |key: &str, body: i64| json!({"scene": 2, "target": "books", "key": key, "body": body});
    let (a, b, changed) = (effect("a", 1), effect("b", 2), effect("a", 3));
    let both = [a.clone(), b.clone()];
    for (arrived, told) in [
        (vec![&a, &b], vec![]),
        (vec![&changed, &b], vec!["did not arrive: {", "is not expected: {"]),
        (vec![&b, &a], vec!["2 expected, 2 arrived; place 1 differs"]),
        (vec![&a], vec!["did not arrive: {"]),
        (vec![&a, &b, &b], vec!["2 expected, 3 arrived; place 3 differs"]),
        (vec![&a, &b, &changed], vec!["is not expected: {"]),
    ] {
        let arrived: Vec<Value> = arrived.into_iter().cloned().collect();
        let found = differences(&both, &arrived);
        assert_eq!(found.len(), told.len(), "{found:#?}");
        for (line, start) in found.iter().zip(told) {
            assert!(line.starts_with(start), "{line}\n{start}");
        }
    }
}
