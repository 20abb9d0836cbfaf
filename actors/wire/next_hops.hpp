#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actors/wire/server_memory.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/transport/resolver.hpp"
#include "engine/transport/transport_layer.hpp"

namespace jackfield {

/// To an actor that asked `next_hops::locate`: the servers that take a URI's messages, best first,
/// or why there is none.
struct servers_located {
  uint64_t ticket = 0;
  result<transport::target_selection> where;
};

/// From the URI that a request goes towards to the flow that takes it there (RFC 3263). One a lane;
/// on its thread.
class next_hops {
public:
  /// `trial`: see `server_memory`.
  next_hops(lane::lane& home, transport::transport_layer& transport,
            const transport::resolver_settings& settings, lane::duration trial);

  /// The flow to a SIP URI if that is known without asking anybody: a remembered or numeric host.
  /// A URI that names the very peer of `current`, or that is not reachable by itself (a WebSocket
  /// client's), is answered with `current`. `connections` says how to open new ones.
  result<std::optional<transport::flow>> locate_now(std::string_view uri,
                                                    const transport::flow& current,
                                                    const transport::open_settings& connections);
  /// A number for a look-up, never given twice.
  [[nodiscard]] uint64_t next_ticket() noexcept { return ++tickets_; }
  /// Asks; `owner` receives `servers_located` with `ticket`.
  void locate(std::string_view uri, lane::lane_actor& owner, uint64_t ticket);
  /// The flow to the current one of these servers.
  result<transport::flow> open(const transport::target_selection& servers,
                               const transport::open_settings& connections);
  /// The flow to a URI whose target is remembered; nothing for others.
  std::optional<transport::flow> remembered(std::string_view uri);

  [[nodiscard]] transport::resolver& resolver() noexcept { return resolver_; }
  [[nodiscard]] server_memory& servers() noexcept { return servers_; }

private:
  result<transport::flow> open(const transport::target& to, std::string_view server_name,
                               const transport::open_settings& connections);

  lane::lane& home_;
  transport::transport_layer& transport_;
  transport::resolver resolver_;
  server_memory servers_;
  struct text_hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept {
      return std::hash<std::string_view>{}(s);
    }
  };
  /// Numeric URI -> target, bounded.
  std::unordered_map<std::string, transport::target, text_hash, std::equal_to<>> located_;
  std::unordered_map<uint64_t, transport::resolver::pending> lookups_; // by ticket
  uint64_t tickets_ = 0;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::servers_located)
