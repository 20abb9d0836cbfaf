#pragma once

#include <memory>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "actors/media/webrtc_settings.hpp"
#include "engine/dtls/identity.hpp"
#include "engine/error/error.hpp"
#include "engine/ice/agent_loop.hpp"

namespace jackfield {

/// What all WebRTC streams of a node have in common: the certificate that we are known by, the
/// thread that libnice runs on unless they are lite, and the actor on CAF's pool that works DTLS
/// handshakes off one after the other, so that they never hold up a lane's media. Any thread.
class webrtc_services {
public:
  /// Makes the certificate and warms libnice up: some 100 ms, once.
  static result<std::shared_ptr<webrtc_services>> make(caf::actor_system& system,
                                                       webrtc_settings settings);
  /// For simulated time: no thread, no pool; handshakes are worked off where they stand, and STUN
  /// and TURN servers never answer.
  static result<std::shared_ptr<webrtc_services>> make_simulated(webrtc_settings settings = {});
  ~webrtc_services();
  webrtc_services(const webrtc_services&) = delete;
  webrtc_services& operator=(const webrtc_services&) = delete;

  [[nodiscard]] const std::shared_ptr<const dtls::identity>& identity() const noexcept {
    return identity_;
  }
  [[nodiscard]] const webrtc_settings& settings() const noexcept { return settings_; }
  [[nodiscard]] bool simulated() const noexcept { return handshakes_ == nullptr; }
  /// Not if `simulated` or lite.
  [[nodiscard]] ice::agent_loop& loop() noexcept { return *loop_; }
  /// Null if `simulated`. Takes `dtls_work`.
  [[nodiscard]] const caf::actor& handshakes() const noexcept { return handshakes_; }

private:
  webrtc_services(std::shared_ptr<const dtls::identity> own, webrtc_settings settings);

  std::shared_ptr<const dtls::identity> identity_;
  webrtc_settings settings_;
  std::unique_ptr<ice::agent_loop> loop_;
  caf::actor handshakes_;
};

} // namespace jackfield
