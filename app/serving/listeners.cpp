#include "app/serving/listeners.hpp"

#include <cstdio>
#include <memory>
#include <utility>

#include "engine/crypto/certificate.hpp"
#include "engine/transport/tls_context.hpp"

namespace jackfield::app {

namespace {

/// `made_pem`: of the certificate, if one is made.
result<std::shared_ptr<transport::tls_context>>
server_context(const listening& where, const lane::endpoint& address, std::string& made_pem) {
  transport::tls_settings tls;
  tls.certificate_file = where.certificate_file;
  tls.key_file = where.key_file;
  if (tls.certificate_file.empty()) {
    const std::vector<std::string> names{address.is_unspecified() ? "localhost"
                                                                  : address.address()};
    auto own = crypto::self_signed_certificate(names);
    if (!own)
      return tl::unexpected{std::move(own.error())};
    made_pem = own->certificate_pem;
    tls.own = std::move(*own);
  }
  return transport::tls_context::make(transport::tls_context::role::server, tls);
}

} // namespace

result<std::vector<listen_at>> read_listener(std::string_view place, std::string_view text,
                                             const std::vector<transport::protocol>& otherwise,
                                             uint16_t usual_port) {
  auto protocols = otherwise;
  auto rest = text;
  if (const auto colon = rest.find(':'); colon != std::string_view::npos)
    if (const auto p = transport::parse_protocol(rest.substr(0, colon))) {
      protocols = {*p};
      rest.remove_prefix(colon + 1);
    }
  auto address = lane::endpoint::parse_with_port(rest, usual_port);
  if (!address)
    return fail(std::string{place},
                "\"" + std::string{rest} +
                  "\" is no address, expected 127.0.0.1:5060 or tcp:127.0.0.1:5060");
  std::vector<listen_at> out;
  out.reserve(protocols.size());
  for (const auto p : protocols)
    out.push_back({p, *address});
  return out;
}

result<std::vector<opened_listener>> open_listeners(const listening& where, bool quiet,
                                                    node& engine) {
  std::vector<opened_listener> opened;
  for (const auto& at : where.at) {
    opened_listener made;
    made.protocol = at.protocol;
    transport::listen_settings settings;
    settings.ws.allowed_origins = where.allowed_origins;
    if (transport::is_secure(at.protocol)) {
      auto tls = server_context(where, at.address, made.made_certificate_pem);
      if (!tls)
        return tl::unexpected{std::move(tls.error())};
      settings.tls = std::move(*tls);
    }
    auto bound = engine.listen_together(at.protocol, at.address, settings);
    if (!bound)
      return tl::unexpected{std::move(bound.error())};
    for (unsigned i = 0; where.advertised.valid() && i < engine.lanes(); ++i)
      engine.context(i).router.set_public_address(at.protocol, where.advertised);
    if (!quiet)
      std::fprintf(stderr, "listening on %s %s\n",
                   std::string{transport::to_string(at.protocol)}.c_str(),
                   bound->to_string().c_str());
    made.address = *bound;
    opened.push_back(std::move(made));
  }
  return opened;
}

} // namespace jackfield::app
