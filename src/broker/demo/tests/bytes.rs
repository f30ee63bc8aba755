//! The records of the history, byte by byte.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{T0, find, history, places};

#[tokio::test]
async fn the_worked_example_is_as_documented() {
    let events = history().await;
    let order: Vec<(String, i64, &str)> = events
        .iter()
        .filter(|e| e.key() == "order-456")
        .map(|e| (e.at(), e.timestamp - T0, e.value()))
        .collect();
    let expected = [
        (
            "orders/0@19",
            55_000,
            r#"{"eventId":"ord-456","eventType":"OrderPlaced","timestamp":"2024-08-15T10:30:55.000Z","data":{"orderId":"order-456","customerId":"customer-789","totalAmount":59.98,"items":[{"sku":"SKU-1","quantity":1,"price":29.99},{"sku":"SKU-2","quantity":1,"price":29.99}],"currency":"EUR"}}"#,
        ),
        (
            "order-events/0@67",
            55_050,
            r#"{"status":"PLACED","customerId":"customer-789","totalAmount":59.98,"currency":"EUR"}"#,
        ),
        (
            "order-validation/0@18",
            55_200,
            r#"{"eventId":"val-456","eventType":"OrderValidated","timestamp":"2024-08-15T10:30:55.200Z","data":{"orderId":"order-456"}}"#,
        ),
        ("order-events/0@68", 55_250, r#"{"status":"VALIDATED"}"#),
        (
            "payments/0@34",
            55_700,
            r#"{"eventId":"pay-456","eventType":"PaymentSucceeded","timestamp":"2024-08-15T10:30:55.700Z","data":{"orderId":"order-456","paymentId":"payment-456","amount":59.98}}"#,
        ),
        (
            "order-events/0@69",
            55_750,
            r#"{"status":"PAID","paymentId":"payment-456"}"#,
        ),
        (
            "shipments/0@15",
            60_000,
            r#"{"eventId":"shp-456","eventType":"ShipmentDispatched","timestamp":"2024-08-15T10:31:00.000Z","data":{"orderId":"order-456","trackingNo":"TRK-456"}}"#,
        ),
        (
            "order-events/0@72",
            60_050,
            r#"{"status":"SHIPPED","trackingNo":"TRK-456"}"#,
        ),
        (
            "notifications/0@17",
            61_000,
            r#"{"eventId":"ntf-456","eventType":"CustomerNotified","timestamp":"2024-08-15T10:31:01.000Z","data":{"orderId":"order-456","channel":"push"}}"#,
        ),
    ];
    let expected: Vec<(String, i64, &str)> = expected
        .map(|(at, time, value)| (at.to_owned(), time, value))
        .into();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn headers_stand_in_their_order() {
    let events = history().await;
    let headers = |at: &str| -> String {
        let mut text = String::new();
        for (name, value) in &find(&events, at).headers {
            let value = String::from_utf8(value.clone().unwrap()).unwrap();
            write!(text, "{name}={value} ").unwrap();
        }
        text.trim_end().to_owned()
    };
    for (at, expected) in [
        (
            "orders/0@19",
            "ce_id=ord-456 correlation-id=order-456 traceparent=00-feed0456beeffeed0456beeffeed0456-fade0456cafe0001-01 producer=checkout-a schema-version=2",
        ),
        (
            "notifications/0@17",
            "ce_id=ntf-456 correlation-id=order-456 causation-id=shp-456 traceparent=00-feed0456beeffeed0456beeffeed0456-fade0456cafe0005-01 producer=notifier-1 schema-version=1 seq=47",
        ),
        (
            "order-events/0@67",
            "correlation-id=order-456 traceparent=00-feed0456beeffeed0456beeffeed0456-fade0456cafe0006-01 producer=order-1 schema-version=1 version=1",
        ),
        // Cancelled because of the payment; the customer is told because of that.
        (
            "orders/1@5",
            "ce_id=can-415 correlation-id=order-415 causation-id=pay-415 traceparent=00-feed0415beeffeed0415beeffeed0415-fade0415cafe0001-01 producer=order-1 schema-version=1",
        ),
        (
            "order-events/0@41",
            "correlation-id=order-405 traceparent=00-feed0405beeffeed0405beeffeed0405-fade0405cafe0006-01 producer=order-1 schema-version=1",
        ),
        // The headers of the poisoned record are whole.
        (
            "payments/1@24",
            "ce_id=pay-436 correlation-id=order-436 causation-id=val-436 traceparent=00-feed0436beeffeed0436beeffeed0436-fade0436cafe0003-01 producer=pay-a schema-version=1",
        ),
    ] {
        assert_eq!(headers(at), expected, "{at}");
    }
    let told = |order: &str| {
        let event = events
            .iter()
            .find(|e| e.topic == "notifications" && e.key() == order);
        event.unwrap().header("causation-id").unwrap()
    };
    assert_eq!(told("order-415"), "can-415");
    assert_eq!(told("order-450"), "val-450");
    assert_eq!(told("order-412"), "shp-412");
}

#[tokio::test]
async fn planted_texts_are_exact() {
    let events = history().await;
    let note = |at: &str| {
        let value = find(&events, at).value();
        let (_, rest) = value.split_once(",\"note\":\"").unwrap();
        rest.strip_suffix("\"}}").unwrap().to_owned()
    };
    assert_eq!(
        note("orders/0@7").as_bytes(),
        b"\\u001b[2J\\u001b[1;1H\\u001b]52;c;ZXZpbA==\\u0007\\rpaid\xe2\x80\xaetxt.exe"
    );
    let client = &find(&events, "orders/0@7").headers;
    assert_eq!(
        client.last().unwrap(),
        &(
            "x-client".to_owned(),
            Some(vec![
                0x1b, 0x5d, 0x30, 0x3b, 0x70, 0x77, 0x6e, 0x65, 0x64, 0x07
            ])
        )
    );
    assert_eq!(
        note("orders/2@9"),
        "call +1 415 555 0132 or write to ada@example.com, card 4111111111111111"
    );
    assert_eq!(note("orders/0@11"), "ticket 1234567890123456");
    assert_eq!(note("notifications/2@9"), "sent to jane.doe@example.com");
    assert_eq!(
        places(&events, |e| e
            .value
            .as_ref()
            .is_some_and(|v| v.windows(6).any(|w| w == b"\"note\""))),
        [
            "orders/0@7",
            "orders/2@9",
            "orders/0@11",
            "notifications/2@9"
        ]
    );
    assert_eq!(
        find(&events, "payments/1@24").value(),
        "{\"eventId\":\"pay-436\","
    );
}

#[tokio::test]
async fn amounts_have_two_decimals_and_a_currency_from_order_440_on() {
    let events = history().await;
    let mut orders = 0;
    for event in events.iter().filter(|e| e.topic == "orders") {
        let order: u64 = event.key()["order-".len()..].parse().unwrap();
        if event.value().contains("OrderCancelled") {
            assert_eq!(event.header("schema-version"), Some("1"));
            continue;
        }
        orders += 1;
        let cents = 2 * (2999 + 100 * (order % 8));
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let text = [444, 446, 449, 453, 455].contains(&order);
        let quote = if text { "\"" } else { "" };
        let member = format!(",\"totalAmount\":{quote}{amount}{quote},");
        assert!(event.value().contains(&member), "{}", event.value());
        let second = order >= 440;
        assert_eq!(event.value().contains(",\"currency\":\"EUR\""), second);
        assert_eq!(
            event.header("schema-version"),
            Some(if second { "2" } else { "1" })
        );
        assert_eq!(
            event.header("producer"),
            Some(if text { "checkout-b" } else { "checkout-a" })
        );
    }
    assert_eq!(orders, 60);
}

#[tokio::test]
async fn dead_letters_tell_where_they_came_from() {
    let events = history().await;
    for (at, origin, offset, time) in [
        ("payments.dlq/0@0", "payments/1@4", 4, 11_000),
        ("payments.dlq/0@1", "payments/1@14", 14, 23_000),
        ("payments.dlq/0@2", "payments/1@10", 10, 26_000),
    ] {
        let (letter, payment) = (find(&events, at), find(&events, origin));
        assert_eq!(letter.timestamp, T0 + time);
        assert_eq!((&letter.key, &letter.value), (&payment.key, &payment.value));
        let (same, added) = letter.headers.split_at(payment.headers.len());
        assert_eq!(same, payment.headers);
        let mut expected: Vec<(&str, Vec<u8>)> = vec![
            ("kafka_dlt-original-topic", b"payments".to_vec()),
            ("kafka_dlt-original-partition", vec![0, 0, 0, 1]),
            (
                "kafka_dlt-original-offset",
                vec![0, 0, 0, 0, 0, 0, 0, offset],
            ),
            (
                "kafka_dlt-original-timestamp",
                payment.timestamp.to_be_bytes().to_vec(),
            ),
            ("kafka_dlt-original-timestamp-type", b"CreateTime".to_vec()),
            ("kafka_dlt-original-consumer-group", b"ledger-svc".to_vec()),
            (
                "kafka_dlt-exception-fqcn",
                b"java.net.SocketTimeoutException".to_vec(),
            ),
            (
                "kafka_dlt-exception-message",
                b"ledger: read timed out".to_vec(),
            ),
        ];
        if offset == 10 {
            expected.push(("evtap-count", b"1".to_vec()));
        }
        let added: Vec<(&str, Vec<u8>)> = added
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone().unwrap()))
            .collect();
        assert_eq!(added, expected, "{at}");
    }
}

/// Every byte of all 483 records at once: a second program wrote them down from the rules.
#[tokio::test]
async fn no_byte_of_the_history_has_changed() {
    let mut events = history().await;
    events.sort_by_key(|e| (e.topic.clone(), e.partition, e.offset));
    let mut hash = Sha256::new();
    for event in &events {
        hash.update(format!(
            "{} {} {} ",
            event.at(),
            event.timestamp,
            event.key()
        ));
        hash.update(event.value.as_deref().unwrap_or(b"<null>"));
        for (name, value) in &event.headers {
            hash.update(format!(" {name}="));
            hash.update(value.as_deref().unwrap());
        }
        hash.update("\n");
    }
    assert_eq!(
        crate::text::hex(&hash.finalize()),
        "8e27aee5ea6042ab03e109f83ff2ed8566d29d9f071ab04e1d8e3c77d9d5211d"
    );
}
