#include "actors/wire/next_hops.hpp"

#include <utility>

#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

/// URIs whose targets are remembered; when full all are forgotten, which costs a parse each.
constexpr size_t most_located = 4096;

/// The part of a message that a look-up needs: "host:port;transport" is in the URI itself.
std::optional<transport::resolve_request> request_for(std::string_view text) {
  const auto uri = sip::uri::parse(text);
  if (!uri || !uri->is_sip())
    return std::nullopt;
  transport::resolve_request out;
  out.host = std::string{uri->host()};
  out.port = uri->port();
  out.secure = uri->kind() == sip::scheme::sips;
  if (const auto name = uri->parameter("transport"))
    out.protocol = transport::parse_protocol(*name);
  if (const auto maddr = uri->parameter("maddr"))
    out.host = std::string{*maddr};
  return out;
}

} // namespace

next_hops::next_hops(lane::lane& home, transport::transport_layer& transport,
                     const transport::resolver_settings& settings, lane::duration trial)
    : home_(home), transport_(transport), resolver_(home, settings), servers_(trial) {
  // nop
}

result<transport::flow> next_hops::open(const transport::target& to, std::string_view server_name,
                                        const transport::open_settings& connections) {
  if (to.protocol == transport::protocol::udp && !connections.local.valid())
    return transport_.open(to.protocol, to.remote);
  auto settings = connections;
  if (settings.server_name.empty())
    settings.server_name = std::string{server_name};
  return transport_.open(to.protocol, to.remote, settings);
}

result<std::optional<transport::flow>>
next_hops::locate_now(std::string_view uri, const transport::flow& current,
                      const transport::open_settings& connections) {
  // A peer behind a WebSocket, or one that connected to us, is reached over its connection only.
  if (current.valid() && transport::is_websocket(current.protocol))
    return current;
  const transport::target* known = nullptr;
  if (const auto found = located_.find(uri); found != located_.end()) {
    known = &found->second;
  } else {
    const auto request = request_for(uri);
    if (!request)
      return fail(std::string{uri}, "expected a sip: or sips: URI");
    if (!lane::endpoint::parse(request->host, 5060))
      return std::optional<transport::flow>{};
    result<transport::target_selection> selected = fail("", "");
    auto pending = resolver_.resolve(*request, [&](auto r) { selected = std::move(r); });
    if (pending.active())
      return std::optional<transport::flow>{};
    if (!selected)
      return tl::unexpected{std::move(selected.error())};
    if (located_.size() >= most_located)
      located_.clear();
    known = &located_.emplace(uri, selected->current()).first->second;
  }
  // The peer of the connection at hand, though its URI does not say the transport.
  if (current.valid() && known->remote == current.remote &&
      (known->protocol == current.protocol || known->protocol == transport::protocol::udp))
    return current;
  return open(*known, {}, connections).map([](auto f) { return std::optional{f}; });
}

result<transport::flow> next_hops::open(const transport::target_selection& servers,
                                        const transport::open_settings& connections) {
  return open(servers.current(), servers.host(), connections);
}

void next_hops::locate(std::string_view uri, lane::lane_actor& owner, uint64_t ticket) {
  caf::strong_actor_ptr asker{owner.ctrl()};
  const auto request = request_for(uri);
  if (!request) {
    lane::tell(home_, asker,
               servers_located{ticket, fail(std::string{uri}, "expected a sip: or sips: URI")});
    return;
  }
  auto pending = resolver_.resolve(*request, [this, ticket, asker](auto selected) {
    lane::tell(home_, asker, servers_located{ticket, std::move(selected)});
    // Destroying the look-up destroys this function: last.
    home_.post([this, ticket] { lookups_.erase(ticket); });
  });
  if (pending.active())
    lookups_.emplace(ticket, std::move(pending));
}

std::optional<transport::flow> next_hops::remembered(std::string_view uri) {
  const auto known = located_.find(uri);
  if (known == located_.end())
    return std::nullopt;
  auto f = open(known->second, {}, {});
  return f ? std::optional{*f} : std::nullopt;
}

} // namespace jackfield
