//! Digest of a document's content: keys in order of their bytes, values with their type, no comments, no layout.

use secagg::{Canonical, Digest};
use toml::de::{DeTable, DeValue};

pub(super) fn of(table: &DeTable<'_>) -> Digest {
    write_table(Canonical::new("entente/v1/protocol"), table).digest()
}

fn write_table(out: Canonical, table: &DeTable<'_>) -> Canonical {
    let mut entries: Vec<(&str, &DeValue<'_>)> = table.iter().map(|(k, v)| (&**k.get_ref(), v.get_ref())).collect();
    entries.sort_by_key(|(key, _)| *key);
    out.u8(b't').list(entries, |out, (key, value)| write_value(out.str(key), value))
}

fn write_value(out: Canonical, value: &DeValue<'_>) -> Canonical {
    match value {
        DeValue::String(s) => out.u8(b's').str(s),
        // 1 and 1.0 mean the same study
        DeValue::Integer(i) => out.u8(b'n').f64(i64::from_str_radix(i.as_str(), i.radix()).unwrap_or_default() as f64),
        DeValue::Float(x) => out.u8(b'n').f64(x.as_str().parse().unwrap_or_default()),
        DeValue::Boolean(b) => out.u8(b'b').bool(*b),
        DeValue::Datetime(d) => out.u8(b'd').str(&d.to_string()),
        DeValue::Array(items) => out.u8(b'a').list(items.iter(), |out, item| write_value(out, item.get_ref())),
        DeValue::Table(table) => write_table(out, table),
    }
}
