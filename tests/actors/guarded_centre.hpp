#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/actors/centre_world.hpp"
#include "tests/actors/raw_peer.hpp"

namespace jackfield {

/// A centre at 10.0.0.2 with the agents alice and carol, whose passwords are "pw-alice" and
/// "pw-carol", and the queue "100", which nobody serves. Alice has a phone at 10.0.0.1. Somebody at
/// 10.0.0.3 writes requests by hand.
class guarded_centre : public testing::Test {
protected:
  /// Of a router among those that serve as one.
  static router_settings at_position(uint8_t position);
  guarded_centre();

  /// Once the plan is as it is to be.
  void begin(bool passwords = true);
  /// Alice's phone calls, with `user`'s credentials.
  void call(const std::string& from, const std::string& whom,
            lane::duration length = std::chrono::seconds{5}, const std::string& user = "alice");
  [[nodiscard]] size_t events(centre_event::kind what) const;

  /// A request of `from`'s to `whom`, of a dialog that there is not, by `by`.
  std::string request(raw_peer& by, const std::string& method, const std::string& from,
                      const std::string& whom, const std::string& headers = {},
                      std::string_view body = {});
  std::string request(const std::string& method, const std::string& from, const std::string& whom,
                      const std::string& headers = {}) {
    return request(peer_, method, from, whom, headers);
  }
  /// What it is answered finally; 0: nothing.
  int status_of(raw_peer& by, const std::string& text);
  int status_of(const std::string& text) { return status_of(peer_, text); }
  /// An Authorization line of `user`'s for that method and number, after a challenge.
  std::string credentials(const std::string& method, const std::string& whom,
                          const std::string& user, const std::string& password);
  void expect_nothing_left();

  centre_world world_;
  sim_site& phone_;
  sim_site& centre_;
  raw_peer peer_;
  centre_plan plan_;
  std::vector<lane_context*> lanes_; ///< that the centre serves on; at first its site's alone

private:
  [[nodiscard]] std::shared_ptr<const call_manner> to_centre(bool audio) const;

  caf::strong_actor_ptr user_;
  int requests_ = 0;
};

} // namespace jackfield
