//! CIDR arithmetic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bartizan_model::{Node, Value};
use ipnet::IpNet;

use super::{Args, Called, Stop, text_value};

pub(super) fn call(name: &str, args: &Args<'_>) -> Option<Called> {
    Some(match name {
        "cidrhost" => host(args),
        "cidrnetmask" => network(args, 0).and_then(|net| match net {
            IpNet::V4(net) => Ok(text_value(net.netmask().to_string())),
            IpNet::V6(_) => Err(Stop::Fail("only IPv4 has netmasks".to_owned())),
        }),
        "cidrsubnet" => subnet(args),
        "cidrsubnets" => subnets(args),
        "cidrcontains" => contains(args),
        _ => return None,
    })
}

fn network(args: &Args<'_>, index: usize) -> Result<IpNet, Stop> {
    let text = args.string(index)?;
    text.parse::<IpNet>().map(|net| net.trunc()).map_err(|_| Stop::Fail(format!("`{text}` is not a CIDR block")))
}

fn base(net: IpNet) -> (u128, u8) {
    match net {
        IpNet::V4(net) => (u128::from(u32::from(net.network())), 32),
        IpNet::V6(net) => (u128::from(net.network()), 128),
    }
}

fn address(value: u128, bits: u8) -> Result<IpAddr, Stop> {
    if bits == 32 {
        u32::try_from(value)
            .map(|v| IpAddr::V4(Ipv4Addr::from(v)))
            .map_err(|_| Stop::Fail("the address lies outside of the block".to_owned()))
    } else {
        Ok(IpAddr::V6(Ipv6Addr::from(value)))
    }
}

fn size(bits: u8, prefix: u8) -> Option<u128> {
    1u128.checked_shl(u32::from(bits.saturating_sub(prefix)))
}

fn host(args: &Args<'_>) -> Called {
    let net = network(args, 0)?;
    let (start, bits) = base(net);
    let index = i128::from(args.integer(1)?);
    let size = size(bits, net.prefix_len());
    let offset = if index < 0 { size.and_then(|size| i128::try_from(size).ok()?.checked_add(index)) } else { Some(index) };
    let offset = offset.and_then(|o| u128::try_from(o).ok()).filter(|o| size.is_none_or(|size| *o < size));
    let offset = offset.ok_or_else(|| Stop::Fail("the block has not so many hosts".to_owned()))?;
    address(start.saturating_add(offset), bits).map(|ip| text_value(ip.to_string()))
}

fn nth(net: IpNet, new_bits: i64, number: u128) -> Result<String, Stop> {
    let (start, bits) = base(net);
    let prefix = u8::try_from(i64::from(net.prefix_len()) + new_bits).ok().filter(|prefix| *prefix <= bits && new_bits >= 0);
    let prefix = prefix.ok_or_else(|| Stop::Fail("the new prefix is too long".to_owned()))?;
    if u32::try_from(new_bits).ok().and_then(|n| 1u128.checked_shl(n)).is_some_and(|count| number >= count) {
        return Err(Stop::Fail("the block has not so many subnets".to_owned()));
    }
    let step = size(bits, prefix).unwrap_or(0);
    let ip = address(start.saturating_add(step.saturating_mul(number)), bits)?;
    Ok(format!("{ip}/{prefix}"))
}

fn subnet(args: &Args<'_>) -> Called {
    let number = u128::try_from(args.integer(2)?).map_err(|_| Stop::Fail("the subnet number is negative".to_owned()))?;
    nth(network(args, 0)?, args.integer(1)?, number).map(text_value)
}

fn subnets(args: &Args<'_>) -> Called {
    let net = network(args, 0)?;
    let (start, bits) = base(net);
    let mut next = start;
    let mut out = Vec::new();
    for index in 1..args.len() {
        let new_bits = args.integer(index)?;
        let prefix = u8::try_from(i64::from(net.prefix_len()) + new_bits).ok().filter(|prefix| *prefix <= bits && new_bits >= 0);
        let prefix = prefix.ok_or_else(|| Stop::Fail("the new prefix is too long".to_owned()))?;
        let step = size(bits, prefix).unwrap_or(0);
        // The next block of this size starts at the next multiple of its size.
        let aligned = if step == 0 { next } else { next.div_ceil(step).saturating_mul(step) };
        out.push(Node::new(text_value(format!("{}/{prefix}", address(aligned, bits)?)), args.get(index)?.span));
        next = aligned.saturating_add(step);
    }
    Ok(Value::List(out))
}

fn contains(args: &Args<'_>) -> Called {
    let net = network(args, 0)?;
    let inner = args.string(1)?;
    let inside = inner.parse::<IpNet>().map(|other| net.contains(&other)).or_else(|_| inner.parse::<IpAddr>().map(|ip| net.contains(&ip)));
    inside.map(Value::Bool).map_err(|_| Stop::Fail(format!("`{inner}` is not an address or CIDR block")))
}
