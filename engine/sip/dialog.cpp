#include "engine/sip/dialog.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
namespace {

/// Offsets are 16 bits; and no honest dialog needs more.
constexpr size_t max_dialog_text = 32'768;

/// §8.1.1.5, with room behind it for a dialog's requests.
constexpr uint32_t max_local_cseq = 0x7fff'ffff;

/// The URI of the first Contact, if requests can be sent to it.
std::string_view contact_uri(const message& m) {
  std::string_view found;
  m.each_value(header::contact, [&](std::string_view value) {
    auto address = parse_name_addr(value);
    auto target = address ? uri::parse(address->uri) : std::nullopt;
    if (target && target->is_sip())
      found = address->uri;
    return false;
  });
  return found;
}

void append_route(std::string& out, std::string_view value, bool in_front) {
  if (out.empty()) {
    out = value;
  } else if (in_front) {
    out.insert(0, ", ");
    out.insert(0, value);
  } else {
    append(out, ", ", value);
  }
}

/// The caller's route set is the Record-Route of the response in reverse, the called party's that
/// of the request in order (§12.1).
std::string route_set_of(const message& m, bool reverse) {
  std::string out;
  if (m.has(header::record_route))
    m.each_value(header::record_route, [&](std::string_view value) {
      append_route(out, value, reverse);
      return true;
    });
  return out;
}

} // namespace

bool is_secure(std::string_view uri_text) noexcept {
  return uri_text.size() > 5 && iequals(uri_text.substr(0, 5), "sips:");
}

bool wants_secure_contact(const message& request) noexcept {
  if (is_secure(request.request_uri()))
    return true;
  const auto route = request.has(header::record_route);
  auto secure = false;
  request.each_value(route ? header::record_route : header::contact, [&](std::string_view value) {
    const auto first = parse_name_addr(value);
    secure = first && is_secure(first->uri);
    return false;
  });
  return secure;
}

bool dialog::store(const parts& p) {
  // For a strict router in front (§12.2.1.1) the route is another than the set.
  std::string_view first_hop;
  std::string strict_route;
  if (!p.route_set.empty()) {
    auto rest = p.route_set;
    auto first = parse_name_addr(next_value(rest));
    auto hop = first ? uri::parse(first->uri) : std::nullopt;
    if (!hop || !hop->is_sip())
      return false;
    first_hop = first->uri;
    if (!hop->is_loose()) {
      strict_route = trim(rest);
      std::string target = "<";
      append(target, p.remote_target, ">");
      append_route(strict_route, target, false);
    }
  }
  size_t total = p.call_id.size() + p.local_party.size() + p.local_tag.size() +
                 p.remote_party.size() + p.remote_tag.size() + p.remote_target.size() +
                 p.route_set.size() + strict_route.size();
  if (total > max_dialog_text)
    return false;
  auto text = std::make_unique_for_overwrite<char[]>(total);
  size_t used = 0;
  auto put = [&](std::string_view piece) {
    span16 s{static_cast<uint16_t>(used), static_cast<uint16_t>(piece.size())};
    if (!piece.empty())
      std::memcpy(text.get() + used, piece.data(), piece.size());
    used += piece.size();
    return s;
  };
  // A tag is usually part of its party: one copy serves both.
  auto put_tag = [&](std::string_view tag, std::string_view party, span16 stored) {
    auto at = tag.empty() ? std::string_view::npos : party.rfind(tag);
    if (at == std::string_view::npos)
      return put(tag);
    return span16{static_cast<uint16_t>(stored.offset + at), static_cast<uint16_t>(tag.size())};
  };
  call_id_ = put(p.call_id);
  local_party_ = put(p.local_party);
  remote_party_ = put(p.remote_party);
  local_tag_ = put_tag(p.local_tag, p.local_party, local_party_);
  remote_tag_ = put_tag(p.remote_tag, p.remote_party, remote_party_);
  remote_target_ = put(p.remote_target);
  route_set_ = put(p.route_set);
  auto hop_at = first_hop.empty() ? 0 : static_cast<size_t>(first_hop.data() - p.route_set.data());
  span16 hop{static_cast<uint16_t>(route_set_.offset + hop_at),
             static_cast<uint16_t>(first_hop.size())};
  next_hop_ = first_hop.empty() ? remote_target_ : hop;
  request_uri_ = strict_route.empty() ? remote_target_ : hop;
  request_route_ = strict_route.empty() ? route_set_ : put(strict_route);
  text_ = std::move(text);
  text_size_ = static_cast<uint16_t>(total);
  return true;
}

dialog dialog::from_response(const leg_id& leg, const message& response,
                             std::string_view request_uri, uint32_t local_cseq) {
  dialog d;
  d.leg_ = leg;
  auto target = contact_uri(response);
  auto routes = route_set_of(response, true);
  d.local_cseq_ = local_cseq;
  d.secure_ = is_secure(request_uri);
  d.store({response.call_id(), response.first(header::from), response.from_tag(),
           response.first(header::to), response.to_tag(), target.empty() ? request_uri : target,
           routes});
  return d;
}

dialog dialog::from_request(const leg_id& leg, const message& request) {
  dialog d;
  d.leg_ = leg;
  auto target = contact_uri(request);
  if (target.empty()) // an INVITE must have one; the caller's address is better than nothing
    if (auto from = parse_name_addr(request.first(header::from)))
      target = from->uri;
  auto routes = route_set_of(request, false);
  auto tag = leg.text();
  std::string local_party{request.first(header::to)};
  append(local_party, ";tag=", view(tag));
  d.remote_cseq_ = request.cseq_number();
  d.has_remote_cseq_ = true;
  d.secure_ = is_secure(request.request_uri());
  d.store({request.call_id(), local_party, view(tag), request.first(header::from),
           request.from_tag(), target, routes});
  return d;
}

result<dialog> dialog::restore(const leg_id& leg, const dialog_record& record, uint32_t skip) {
  auto tag = leg.text();
  if (record.leg != view(tag) || record.local_tag != view(tag))
    return fail("dialog", "is another leg's");
  if (record.call_id.empty() || !is_safe_value(record.call_id))
    return fail("call_id", "expected a Call-ID");
  if (auto local = parse_name_addr(record.local_party);
      !local || local->tag != record.local_tag || !is_safe_value(record.local_party))
    return fail("local_party", "expected an address with the local tag");
  if (auto remote = parse_name_addr(record.remote_party);
      !remote || remote->tag != record.remote_tag || !is_safe_value(record.remote_party))
    return fail("remote_party", "expected an address with the remote tag");
  if (auto target = uri::parse(record.remote_target); !target || !target->is_sip())
    return fail("remote_target", "expected a SIP URI");
  if (!is_safe_value(record.route_set))
    return fail("route_set", "has a control character");
  if (record.local_cseq > max_local_cseq - skip)
    return fail("local_cseq", "is out of range");
  dialog d;
  d.leg_ = leg;
  d.local_cseq_ = record.local_cseq + skip;
  d.remote_cseq_ = record.remote_cseq.value_or(0);
  d.has_remote_cseq_ = record.remote_cseq.has_value();
  d.secure_ = record.secure;
  if (!d.store({record.call_id, record.local_party, record.local_tag, record.remote_party,
                record.remote_tag, record.remote_target, record.route_set}))
    return fail("route_set", "expected SIP URIs in angle brackets, and not too many");
  return d;
}

dialog_record dialog::record() const {
  dialog_record r;
  r.leg = view(leg_.text());
  r.call_id = call_id();
  r.local_party = local_party();
  r.local_tag = local_tag();
  r.remote_party = remote_party();
  r.remote_tag = remote_tag();
  r.remote_target = remote_target();
  r.route_set = route_set();
  r.local_cseq = local_cseq_;
  r.remote_cseq = remote_cseq();
  r.secure = secure_;
  return r;
}

bool dialog::matches(const message& m) const noexcept {
  if (!valid() || m.call_id() != call_id())
    return false;
  auto remote = m.is_request() ? m.from_tag() : m.to_tag();
  auto local = m.is_request() ? m.to_tag() : m.from_tag();
  return local == local_tag() && remote == remote_tag();
}

void dialog::refresh_target(const message& m) {
  set_remote_target(contact_uri(m));
}

void dialog::set_remote_target(std::string_view target) {
  if (target.empty() || target == remote_target())
    return;
  dialog fresh;
  if (!fresh.store(
        {call_id(), local_party(), local_tag(), remote_party(), remote_tag(), target, route_set()}))
    return;
  fresh.leg_ = leg_;
  fresh.local_cseq_ = local_cseq_;
  fresh.remote_cseq_ = remote_cseq_;
  fresh.has_remote_cseq_ = has_remote_cseq_;
  fresh.secure_ = secure_;
  *this = std::move(fresh);
}

dialog::order dialog::take_remote_cseq(uint32_t number) noexcept {
  if (has_remote_cseq_ && number <= remote_cseq_)
    return number == remote_cseq_ ? order::repeated : order::lower;
  has_remote_cseq_ = true;
  remote_cseq_ = number;
  return order::next;
}

void dialog::fill(request_text& r) const noexcept {
  r.uri = request_uri();
  r.route = request_route();
  r.from = local_party();
  r.to = remote_party();
  r.call_id = call_id();
  r.branch.leg = leg_;
}

} // namespace jackfield::sip
