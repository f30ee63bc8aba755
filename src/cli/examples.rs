//! The two examples at the end of each `--help`. A test runs every command's help and counts them.

pub const EVTAP: &str = "Examples:\n  evtap read demo:orders --last 5\n  evtap tail kafka://localhost:9092/orders -w '.value.amount > 500'";

/// `evtap --help` also lists what scripts rely on.
pub fn evtap_long() -> String {
    format!(
        "Exit codes:
    0  done, clean
    1  a failed verification, or nothing matched with --fail-empty
    2  usage, config, file or query error
    3  partial: --timeout before the end, or a damaged file
    4  broker, network or authentication
    5  a guard refused a write
    6  a replay is incomplete
  130  interrupted

{EVTAP}"
    )
}

pub const TOPICS: &str =
    "Examples:\n  evtap topics demo:\n  evtap topics kafka://localhost:9092 -o json";
pub const READ: &str = "Examples:\n  evtap read kafka://localhost:9092/orders --from -15m -w '.value.amount > 500'\n  evtap read incident.mcap -o jsonl | jq .key";
pub const TAIL: &str = "Examples:\n  evtap tail demo:orders\n  evtap tail prod/orders,payments -g 'order-456' --idle 1m";
pub const RECORD: &str = "Examples:\n  evtap record prod/orders --from -1h --out incident.mcap\n  evtap record demo: --out demo.jsonl.zst";
pub const REPLAY: &str = "Examples:\n  evtap replay prod/orders --to dev/orders --from -1h --mask .value.email=hash --dry-run\n  echo '{\"orderId\":1}' | evtap replay - --to kafka://localhost:9092/orders --yes";
pub const REDRIVE: &str = "Examples:\n  evtap redrive demo:payments.dlq --dry-run\n  evtap redrive prod/payments.dlq --reason SocketTimeout --parked payments.parked --rate 50";
pub const APPLY: &str = "Examples:\n  evtap replay prod/orders --from -1h --to staging/orders.replay --plan-out plan.toml\n  evtap apply plan.toml --dry-run && evtap apply plan.toml";
pub const VERIFY: &str =
    "Examples:\n  evtap verify plan.toml\n  evtap verify plan.toml -o json | jq .counts";
pub const CHECK: &str = "Examples:\n  evtap check incident.mcap --only order --mem 1GiB\n  evtap check kafka://localhost:9092/orders --schemas http://localhost:8081 -o junit";
pub const TRACE: &str = "Examples:\n  evtap trace order-434 demo:\n  evtap trace 4bf92f3577b34da6a3ce929d0e0e4736 prod --from -1h --saga order.yaml -o json";
pub const SCHEMA: &str = "Examples:\n  evtap schema show demo:orders\n  evtap schema drift kafka://localhost:9092/orders";
pub const SCHEMA_SHOW: &str = "Examples:\n  evtap schema show demo:orders --diff 1 2\n  evtap schema show kafka://localhost:9092/orders --schemas http://localhost:8081";
pub const SCHEMA_INFER: &str = "Examples:\n  evtap schema infer demo:orders\n  evtap schema infer incident.mcap --out schemas && evtap check incident.mcap --schemas schemas";
pub const SCHEMA_DRIFT: &str = "Examples:\n  evtap schema drift demo:orders\n  evtap schema drift prod/orders --from -24h -o json";
pub const SCHEMA_COMPAT: &str = "Examples:\n  evtap schema compat new.avsc old.avsc --level full\n  evtap schema compat new.avsc --subject-of kafka://localhost:9092/orders --schemas http://localhost:8081";
pub const LAG: &str = "Examples:\n  evtap lag demo:\n  evtap lag kafka://localhost:9092 --group billing --max 1000 --max-age 5m";
pub const STATE: &str = "Examples:\n  evtap state demo:order-events --key order-456 --at v3 --blame\n  evtap state kafka://localhost:9092/accounts --key 42 --diff -1h end";
pub const DIFF: &str = "Examples:\n  evtap diff before.mcap after.mcap --ignore .value.eventId --ignore .headers.ce_id\n  evtap diff kafka://localhost:9092/orders kafka://localhost:9092/orders.replay -o json";
pub const EXPECT: &str = "Examples:\n  evtap expect kafka://localhost:9092/payments -w '.key == \"order-456\"' --within 30s -- ./place-order.sh\n  evtap expect demo:orders -w '.value.eventType == \"OrderPlaced\"' --within 5s";
pub const BISECT: &str = "Examples:\n  evtap bisect demo:orders -w '.value.data.totalAmount | type == \"string\"'\n  evtap bisect incident.mcap -- ./consumer-with-a-bug --from-stdin";
pub const MINIMIZE: &str = "Examples:\n  evtap minimize incident.mcap -- ./consumer-with-a-bug --from-stdin\n  evtap minimize demo:payments -o jsonl -- ./check.sh > few.jsonl";
pub const DEMO: &str = "Examples:\n  evtap demo\n  evtap demo --to kafka://localhost:9092 --yes";
pub const OPEN: &str =
    "Examples:\n  evtap open demo:\n  evtap open kafka://localhost:9092 'order*' --from -15m";
pub const KEYS: &str = "Examples:\n  evtap keys\n  evtap keys -o json";
pub const BROKERS: &str = "Examples:\n  evtap brokers\n  evtap brokers -o json";
pub const THEMES: &str =
    "Examples:\n  evtap themes\n  evtap themes nord > ~/.config/evtap/themes/mine.toml";
pub const CONFIG: &str =
    "Examples:\n  evtap config list\n  evtap config import client.properties --name prod";
pub const CONFIG_PATH: &str = "Examples:\n  evtap config path\n  $EDITOR \"$(evtap config path)\"";
pub const CONFIG_LIST: &str =
    "Examples:\n  evtap config list\n  evtap config list --config team.toml";
pub const CONFIG_CHECK: &str =
    "Examples:\n  evtap config check\n  evtap config check --config team.toml";
pub const CONFIG_IMPORT: &str = "Examples:\n  evtap config import ~/.config/kcat.conf --name prod\n  evtap config import client.properties --name prod --write";
pub const COMPLETIONS: &str = "Examples:\n  evtap completions bash > /etc/bash_completion.d/evtap\n  evtap completions zsh > ~/.zfunc/_evtap";
pub const MAN: &str = "Examples:\n  evtap man ./man\n  evtap man /usr/local/share/man/man1";
