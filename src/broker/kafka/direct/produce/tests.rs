//! What the steps of a transaction are answered, as the broker's side writes it.
