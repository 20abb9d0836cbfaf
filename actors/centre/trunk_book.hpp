#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/call/call_settings.hpp"
#include "engine/lane/address_range.hpp"
#include "engine/lane/timer_wheel.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/message.hpp"

namespace jackfield {

/// A way to the telephone network: a provider's server, or another exchange.
struct trunk_profile {
  static constexpr auto no_limit = std::numeric_limits<uint32_t>::max();

  std::string name;
  std::string uri; ///< of the server: "sip:sip.example.com;transport=tcp", without user
  /// User at the server; empty: none.
  std::string user;
  /// How connections to it are made; null: by default.
  std::shared_ptr<const transport::open_settings> connections;
  /// For that server's hosts and realm alone.
  std::vector<sip::credential> credentials;
  bool registers = false;
  unsigned expires = 3600; ///< of the registration, seconds
  /// How often it is asked by OPTIONS whether it is there; zero: never.
  lane::duration options_every{};
  /// Where its calls come from; empty: it has none.
  std::vector<lane::address_range> from;
  uint32_t most_calls = no_limit; ///< of both directions at once
  /// What its calls may reach besides queues.
  bool reaches_agents = false;
  bool reaches_trunks = false;
  /// Whom the outside sees calling: the user of From; empty: `user`, else the agent's name.
  std::string caller;
};

/// A trunk as every lane sees it: who it is, how it is, and how many calls it has. Lives as long as
/// the book. From any thread.
class trunk_line {
public:
  explicit trunk_line(trunk_profile profile)
      : profile_(std::move(profile)), in_service_(!profile_.registers) {}

  [[nodiscard]] const trunk_profile& profile() const noexcept { return profile_; }

  /// It is there: it answers, and has registered us if it is to. Until it was asked it is.
  [[nodiscard]] bool in_service() const noexcept { return in_service_; }
  [[nodiscard]] bool registered() const noexcept { return registered_; }
  void set_state(bool in_service, bool registered) noexcept {
    registered_ = registered;
    in_service_ = in_service;
  }
  /// A call that it did not take: it rests, so that calls try others first.
  void rest_until(lane::time_point when) noexcept {
    rests_until_ = when.time_since_epoch().count();
  }
  [[nodiscard]] bool rests(lane::time_point now) const noexcept {
    return now.time_since_epoch().count() < rests_until_;
  }

  [[nodiscard]] uint32_t calls() const noexcept { return calls_; }
  // What came of calls so far.
  [[nodiscard]] uint64_t came() const noexcept { return came_; }
  [[nodiscard]] uint64_t placed() const noexcept { return placed_; }
  [[nodiscard]] uint64_t not_taken() const noexcept { return not_taken_; }
  void count_not_taken() noexcept { ++not_taken_; }

private:
  friend class trunk_call;

  const trunk_profile profile_;
  std::atomic<bool> in_service_;
  std::atomic<bool> registered_{false};
  std::atomic<lane::time_point::rep> rests_until_{
    std::numeric_limits<lane::time_point::rep>::min()};
  std::atomic<uint32_t> calls_{0};
  std::atomic<uint64_t> came_{0};
  std::atomic<uint64_t> placed_{0};
  std::atomic<uint64_t> not_taken_{0};
};

/// Numbers of the outside, by how they begin.
struct outside_route {
  std::string prefix;
  std::vector<size_t> trunks; ///< places in the book, in the order of trying them
  unsigned strip = 0;         ///< so many characters are cut off the front
  std::string prepend;        ///< and this is put there

  /// What is called at the trunk.
  [[nodiscard]] std::string number_for(std::string_view called) const;
};

/// The trunks of a contact centre and the ways to them. Nothing of it is changed once it is used,
/// but for the lines' states.
struct trunk_book {
  std::vector<std::unique_ptr<trunk_line>> lines;
  std::vector<outside_route> routes;
  /// Of this engine: nobody else's INVITEs have it in their trail.
  std::string mark;

  /// The trunk that a call from this address is of; null: none.
  [[nodiscard]] trunk_line* line_from(const lane::endpoint& address) const noexcept;
  /// The longest prefix; null: it leads nowhere, or is no number (digits, '*' and '#', perhaps
  /// after a '+').
  [[nodiscard]] const outside_route* route_for(std::string_view called) const noexcept;
};

/// One of a trunk's calls, while it lives.
class trunk_call {
public:
  enum class way : uint8_t { in, out };

  /// Nothing: the trunk has as many as it may have.
  [[nodiscard]] static std::optional<trunk_call> begin(trunk_line& line, way which) noexcept;
  trunk_call(trunk_call&& other) noexcept : line_(std::exchange(other.line_, nullptr)) {}
  trunk_call& operator=(trunk_call&& other) noexcept {
    std::swap(line_, other.line_);
    return *this;
  }
  ~trunk_call();

  [[nodiscard]] trunk_line& line() const noexcept { return *line_; }

private:
  explicit trunk_call(trunk_line& line) noexcept : line_(&line) {}

  trunk_line* line_;
};

/// Engines whose trunks a call came through; in a header field of our own, which others pass on as
/// proxies do. Bounds what goes round in a circle where no Via tells of it.
struct call_trail {
  static constexpr size_t most_marks = 8;

  std::vector<std::string> marks;

  /// Of an INVITE; what is not a mark is left out.
  [[nodiscard]] static call_trail of(const sip::message& invite);
  [[nodiscard]] bool has(std::string_view mark) const noexcept;
  /// The header line of an INVITE that we send on.
  [[nodiscard]] std::string line_with(std::string_view mark) const;
};

} // namespace jackfield
