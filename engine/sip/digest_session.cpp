#include <algorithm>
#include <utility>

#include "engine/sip/digest.hpp"
#include "engine/sip/digest_detail.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

using namespace digest_detail;

namespace {

constexpr size_t max_realms = 8;

} // namespace

void digest_session::free_state::operator()(state* s) const noexcept {
  std::default_delete<state>()(s);
}

digest_session::verdict digest_session::on_challenge(const message& response,
                                                     std::span<const credential> credentials,
                                                     std::string_view request_host,
                                                     std::string_view next_hop_host,
                                                     uint64_t random) {
  struct choice {
    digest_challenge challenge;
    const credential* who;
  };
  std::vector<choice> choices;
  for (auto& c : digest_challenge::all_of(response)) {
    auto who = std::find_if(credentials.begin(), credentials.end(), [&](const credential& known) {
      return known.has(c.algorithm) && (known.serves(c.realm, request_host) ||
                                        (c.proxy && known.serves(c.realm, next_hop_host)));
    });
    if (who == credentials.end() || !has_algorithm(c.algorithm))
      continue;
    auto same = std::find_if(choices.begin(), choices.end(), [&](const choice& other) {
      return other.challenge.proxy == c.proxy && other.challenge.realm == c.realm;
    });
    if (same == choices.end())
      choices.push_back({std::move(c), &*who});
    else if (same->challenge.algorithm < c.algorithm)
      *same = {std::move(c), &*who};
  }
  if (choices.empty())
    return verdict::no_credential;
  if (!state_)
    state_.reset(new state);
  auto& realms = state_->realms;
  bool any = false;
  for (auto& chosen : choices) {
    auto& challenge = chosen.challenge;
    auto* who = chosen.who;
    auto at = std::find_if(realms.begin(), realms.end(), [&](const answered& known) {
      return known.challenge.proxy == challenge.proxy && known.challenge.realm == challenge.realm;
    });
    bool again = false;
    if (at == realms.end()) {
      if (realms.size() >= max_realms)
        continue;
      realms.reserve(realms.size() + 1); // most have one, and there are many sessions
      at = realms.emplace(realms.end());
    } else if (at->pending) {
      if (at->proven) {
        at->proven = false;
      } else if (challenge.stale && !at->stale_retried) {
        again = true;
      } else {
        continue;
      }
    }
    at->username = challenge.userhash
                     ? hex_of(challenge.algorithm, {who->username(), challenge.realm})
                     : who->username();
    at->ha1 = who->ha1(challenge.algorithm, challenge.realm);
    at->cnonce.clear();
    append_hex(at->cnonce, random, 16);
    at->who = who;
    at->nc = 0;
    at->pending = false;
    at->stale_retried = again;
    at->challenge = std::move(challenge);
    any = true;
  }
  return any ? verdict::retry : verdict::refused;
}

void digest_session::on_success(const message& response) {
  if (!state_)
    return;
  std::string next;
  if (response.has(header::authentication_info)) {
    auto text = response.first(header::authentication_info);
    auto good = walk_auth(
      text, [](std::string_view) {},
      [&](std::string_view name, std::string_view value, bool) {
        if (iequals(name, "nextnonce"))
          next = unescape_quoted(value);
      });
    if (!good || next.size() > max_credential_bytes)
      next.clear();
  }
  for (auto& r : state_->realms) {
    r.proven |= r.pending;
    r.pending = r.stale_retried = false;
    if (!next.empty() && !r.challenge.proxy) {
      r.challenge.nonce = std::move(next);
      r.nc = 0;
      next.clear();
    }
  }
}

void digest_session::append_authorization(std::string& out, const digest_request& request,
                                          std::string_view request_host,
                                          std::string_view next_hop_host) {
  if (!state_)
    return;
  for (auto& r : state_->realms) {
    auto& c = r.challenge;
    // The target may have changed since; the credential still belongs to its hosts alone.
    if (!r.who->serves(c.realm, request_host) &&
        !(c.proxy && r.who->serves(c.realm, next_hop_host)))
      continue;
    auto qop = c.qop_auth       ? digest_qop::auth
               : c.qop_auth_int ? digest_qop::auth_int
                                : digest_qop::none;
    std::string nc;
    append_hex(nc, ++r.nc, 8);
    auto response =
      response_of(c.algorithm, c.session, qop, r.ha1, c.nonce, nc, r.cnonce, request, request.uri);
    auto begin = out.size();
    out += c.proxy ? "Proxy-Authorization: " : "Authorization: ";
    auto value = out.size();
    out += "Digest username=";
    append_quoted(out, r.username);
    out += ", realm=";
    append_quoted(out, c.realm);
    out += ", nonce=";
    append_quoted(out, c.nonce);
    out += ", uri=";
    append_quoted(out, request.uri);
    append(out, ", response=\"", response, "\", algorithm=", to_string(c.algorithm, c.session));
    if (qop != digest_qop::none || c.session)
      append(out, ", cnonce=\"", r.cnonce, "\"");
    if (qop != digest_qop::none)
      append(out, ", qop=", qop_name(qop), ", nc=", nc);
    if (!c.opaque.empty()) {
      out += ", opaque=";
      append_quoted(out, c.opaque);
    }
    if (c.userhash)
      out += ", userhash=true";
    if (out.size() - value > max_credential_bytes) {
      out.resize(begin);
      continue;
    }
    out += "\r\n";
    r.pending = true;
  }
}

size_t digest_session::heap_bytes() const noexcept {
  if (!state_)
    return 0;
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = sizeof(state) + state_->realms.capacity() * sizeof(answered);
  for (auto& r : state_->realms)
    n += of(r.challenge.realm) + of(r.challenge.nonce) + of(r.challenge.opaque) + of(r.username) +
         of(r.ha1) + of(r.cnonce);
  return n;
}

} // namespace jackfield::sip
