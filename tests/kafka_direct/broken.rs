//! What goes wrong before a read begins, through the program: the same exit code and the same hint
//! whichever reader reads, in ten seconds at the most.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::both::{BOTH, Reader};
use crate::shared::server;
use crate::support::{kafka, with_topic};
use crate::watched::run;

/// An address to read, its properties, and words of the message and of the hint.
type Case<'a> = (&'a str, &'a [&'a str], &'a str, &'a str);

/// Reads each by both readers, all at once, for most of it is waiting.
fn each_fails(cases: &[Case<'_>]) {
    thread::scope(|scope| {
        for case in cases {
            for reader in BOTH {
                let one = move || fails(reader, case);
                thread::Builder::new().spawn_scoped(scope, one).unwrap();
            }
        }
    });
}

fn fails(reader: Reader, (address, properties, message, hint): &Case<'_>) {
    let url = format!("kafka://{address}");
    let mut args = vec!["read", &url, "-X", reader.property()];
    for property in *properties {
        args.extend(["-X", property]);
    }
    let ran = run(&args);
    let told = format!("{reader:?} {url} {properties:?}:\n{}", ran.err);
    assert_eq!(ran.code, Some(4), "{told}");
    assert!(ran.took < Duration::from_secs(10), "{:?} {told}", ran.took);
    let (said, try_this) = ran.err.split_once("hint: ").unwrap_or((&ran.err, ""));
    assert!(said.contains(message), "no '{message}' from {told}");
    assert!(try_this.contains(hint), "no hint '{hint}' from {told}");
    assert!(
        !ran.err.contains("panicked") && ran.out.is_empty(),
        "{told}"
    );
}

/// A server that says this to whoever has asked something, and hangs up.
fn says(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut asked = [0; 1024];
            if client.read(&mut asked).is_ok() {
                drop(client.write_all(&answer));
            }
        }
    };
    // It ends with the test's process.
    thread::Builder::new().spawn(serve).unwrap();
    address
}

#[test]
fn nobody_is_there() {
    if kafka().is_none() {
        return;
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("{}/t", silent.local_addr().unwrap());
    let unknown = "no-such-host.invalid:9092/t";
    each_fails(&[
        ("127.0.0.1:1/t", &[], "refused", "is the broker up"),
        (unknown, &[], "resolve", "check the host's name"),
        (&silent, &[], "", "is the broker up"),
    ]);
}

#[test]
fn another_server_is_there() {
    if kafka().is_none() {
        return;
    }
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    let others = [
        http,
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        vec![0; 100],
        Vec::new(),
    ];
    let [http, ssh, zeros, mute] = others.map(|answer| format!("{}/t", says(answer)));
    each_fails(&[
        (&http, &[], "", "an HTTP server answers there"),
        (&ssh, &[], "", ""),
        (&zeros, &[], "", ""),
        (&mute, &[], "", ""),
    ]);
}

#[tokio::test]
async fn a_topic_that_is_not_there() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "orders", 1, &[]).await;
    let near = format!("did you mean '{topic}'?");
    let typo = format!("{host}/{topic}x");
    each_fails(&[(&typo, &[], "has no topic", &near)]);
}

#[test]
fn tls_where_there_is_none_and_the_reverse() {
    let names = ["", "_SSL", "_CA"].map(|name| server(&format!("EVTAP_TEST_KAFKA{name}")));
    let [Some(plain), Some(tls), Some(ca)] = names else {
        return;
    };
    let (plain, tls) = (format!("{plain}/t"), format!("{tls}/t"));
    let ca = format!("ssl.ca.location={ca}");
    let ssl = "security.protocol=SSL";
    each_fails(&[
        (&tls, &[], "", "security.protocol=SSL"),
        (&plain, &[ssl, &ca], "", "does not speak TLS"),
        (&tls, &[ssl], "certificate", "ssl.ca.location"),
        (&tls, &[ssl, &ca], "has no topic", ""),
    ]);
}

#[test]
fn logins_that_are_refused() {
    let names = ["_SASL_SSL", "_CA", "_USER", "_PASSWORD"];
    let names = names.map(|name| server(&format!("EVTAP_TEST_KAFKA{name}")));
    let [Some(host), Some(ca), Some(user), Some(password)] = names else {
        return;
    };
    let host = format!("{host}/t");
    let ca = format!("ssl.ca.location={ca}");
    let user = format!("sasl.username={user}");
    let password = format!("sasl.password={password}");
    let sasl = "security.protocol=SASL_SSL";
    let check = "check sasl.username, sasl.password";
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mechanism = format!("sasl.mechanism={mechanism}");
        let guess = [sasl, &ca, &mechanism, &user, "sasl.password=guess"];
        let nobody = [sasl, &ca, &mechanism, "sasl.username=nobody", &password];
        let good = [sasl, &ca, &mechanism, &user, &password];
        each_fails(&[
            (&host, &guess, "", check),
            (&host, &nobody, "", check),
            (&host, &good, "has no topic", ""),
        ]);
    }
}
