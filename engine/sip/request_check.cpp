#include "engine/sip/request_check.hpp"

#include <algorithm>

#include "engine/sip/fields.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/multipart.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

namespace {

using verdict = std::optional<rejection>;

rejection reject(int status, std::string_view reason = {}) {
  return {status, std::string(reason.empty() ? reason_phrase(status) : reason), {}};
}

rejection reject(int status, header id, std::string_view value) {
  auto refusal = reject(status);
  message_writer(refusal.lines).field(id, value);
  return refusal;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](auto& s) { return iequals(s, text); });
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& s : list)
    text += (text.empty() ? "" : ", ") + s;
  return text;
}

verdict check_method(const message& request, const capabilities& able) {
  // A proxy forwards methods that it does not know.
  if (able.acts_as == capabilities::role::proxy || able.methods.has(request.request_method()))
    return {};
  bool known = request.request_method() != method::unknown;
  return reject(known ? 405 : 501, header::allow, able.methods.to_string());
}

verdict check_uri(const message& request, const capabilities& able) {
  auto target = uri::parse(request.request_uri());
  if (!target)
    return reject(400, "Malformed Request-URI");
  if (target->kind() != scheme::sip && !(able.sips && target->kind() == scheme::sips))
    return reject(416);
  if (!target->headers().empty())
    return reject(400, "Header Fields in Request-URI");
  return {};
}

verdict check_contacts(const message& request, const capabilities& able) {
  bool registering = request.request_method() == method::register_;
  size_t count = 0;
  std::string_view fault;
  request.each_value(header::contact, [&](std::string_view value) {
    ++count;
    auto contact = parse_name_addr(value);
    auto address = contact ? uri::parse(contact->uri) : std::nullopt;
    if (contact && contact->is_star()) {
      // §10.3 step 6: alone, and with Expires: 0.
      if (!registering || parse_uint(request.first(header::expires), 0) != 0U)
        fault = "Contact: * out of place";
    } else if (!address) {
      fault = "Malformed Contact";
    } else if (!contact->bracketed && contact->uri.find_first_of(",?") != std::string_view::npos) {
      fault = "Contact URI without brackets"; // §20.10
    } else if (registering && able.acts_as == capabilities::role::registrar && !address->is_sip() &&
               address->kind() != scheme::tel) {
      fault = "Contact of an unknown scheme";
    }
    return fault.empty();
  });
  if (!fault.empty())
    return reject(400, fault);
  if (registering && count > 1) {
    bool star = false;
    request.each_value(header::contact,
                       [&](std::string_view value) { return !(star = value == "*"); });
    if (star)
      return reject(400, "Contact: * with others");
  }
  // RFC 2543, whose branches lack the cookie, let an INVITE go without.
  bool needed = request.request_method() == method::invite &&
                iequals(request.via().branch.substr(0, branch_cookie.size()), branch_cookie);
  if (needed && count == 0)
    return reject(400, "No Contact");
  if (request.request_method() == method::invite && count > 1)
    return reject(400, "More Than One Contact");
  return {};
}

/// A registrar's address of record (RFC 3261 §10.2): a SIP or SIPS URI.
verdict check_record(const message& request, const capabilities& able) {
  if (able.acts_as != capabilities::role::registrar ||
      request.request_method() != method::register_)
    return {};
  auto to = parse_name_addr(request.first(header::to));
  auto record = to ? uri::parse(to->uri) : std::nullopt;
  if (!record || !record->is_sip())
    return reject(400, "Address of Record Is No SIP URI");
  return {};
}

verdict check_extensions(const message& request, const capabilities& able) {
  if (request.request_method() == method::cancel)
    return {};
  auto id = able.acts_as == capabilities::role::proxy ? header::proxy_require : header::require;
  std::string unsupported;
  request.each_value(id, [&](std::string_view tag) {
    if (!contains(able.extensions, tag)) {
      unsupported += unsupported.empty() ? "" : ", ";
      unsupported += tag;
    }
    return true;
  });
  if (unsupported.empty())
    return {};
  return reject(420, header::unsupported, unsupported);
}

verdict check_body(const message& request, const capabilities& able) {
  if (request.body().empty())
    return {};
  if (!request.has(header::content_type))
    return reject(400, "No Content-Type");
  auto type = parse_media_type(request.first(header::content_type));
  if (!type)
    return reject(400, "Malformed Content-Type");
  // What need not be understood may be anything (§20.11).
  bool optional = is_optional(request.first(header::content_disposition));

  bool encoded = false;
  request.each_value(header::content_encoding, [&](std::string_view coding) {
    encoded = !iequals(coding, "identity");
    return !encoded;
  });
  if (encoded)
    return optional ? verdict{} : reject(415, header::accept_encoding, "identity");

  auto understood = [&](const media_type& media) {
    return std::any_of(able.body_types.begin(), able.body_types.end(),
                       [&](auto& s) { return media.is(s); });
  };
  if (understood(*type))
    return {};
  if (iequals(type->type, "multipart")) {
    auto parts = split_multipart(request.first(header::content_type), request.body());
    if (!parts)
      return reject(400, "Malformed Multipart Body");
    for (auto& part : *parts)
      if (auto media = parse_media_type(part.content_type); media && understood(*media))
        return {};
    optional = optional || are_optional(*parts);
  }
  if (optional)
    return {};
  return reject(415, header::accept, joined(able.body_types));
}

/// Only where the answer needs a body (§13.3.1.4): that to OPTIONS need not have one (§11.2). An
/// empty Accept excludes everything.
verdict check_accept(const message& request, const capabilities& able) {
  if (request.request_method() != method::invite || !request.has(header::accept) ||
      able.answer_types.empty())
    return {};
  bool acceptable = false;
  request.each_value(header::accept, [&](std::string_view value) {
    auto range = parse_media_type(value);
    if (!range)
      return true;
    for (auto& type : able.answer_types)
      acceptable = acceptable || range->is(type) || (range->type == "*" && range->subtype == "*") ||
                   (range->subtype == "*" && iequals(range->type, type.substr(0, type.find('/'))));
    return !acceptable;
  });
  if (acceptable)
    return {};
  return reject(406, header::warning,
                "399 jackfield \"Answers are of type " + joined(able.answer_types) + '"');
}

} // namespace

bool has_option(const message& m, header where, std::string_view tag) noexcept {
  auto found = false;
  if (m.has(where))
    m.each_value(where, [&](std::string_view value) { return !(found = iequals(value, tag)); });
  return found;
}

bool is_misrouted(const message& response) noexcept {
  size_t values = 0;
  response.each_value(header::via, [&](std::string_view) { return ++values < 2; });
  return values != 1;
}

std::optional<rejection> check_request(const message& request, const capabilities& able) {
  if (request.request_method() == method::ack)
    return {};
  if (auto refusal = check_method(request, able))
    return refusal;
  if (auto refusal = check_uri(request, able))
    return refusal;
  if (able.acts_as == capabilities::role::proxy) {
    if (request.max_forwards() == 0)
      return reject(483);
    return check_extensions(request, able);
  }
  for (auto check : {check_contacts, check_record, check_extensions, check_body, check_accept})
    if (auto refusal = check(request, able))
      return refusal;
  return {};
}

} // namespace jackfield::sip
