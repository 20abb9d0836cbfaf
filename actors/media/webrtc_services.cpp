#include "actors/media/webrtc_services.hpp"

#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/media/dtls_association.hpp"

namespace jackfield {

namespace {

/// Not a function: of one without arguments CAF dereferences a null pointer to them.
class handshake_worker final : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

protected:
  caf::behavior make_behavior() override {
    return {[](const dtls_work& work) { work.association->run(); }};
  }
};

} // namespace

webrtc_services::webrtc_services(std::shared_ptr<const dtls::identity> own,
                                 webrtc_settings settings)
    : identity_(std::move(own)), settings_(std::move(settings)) {
  // nop
}

webrtc_services::~webrtc_services() {
  if (handshakes_)
    caf::anon_send_exit(handshakes_, caf::exit_reason::user_shutdown);
}

result<std::shared_ptr<webrtc_services>> webrtc_services::make_simulated(webrtc_settings settings) {
  return dtls::identity::make().map([&](std::shared_ptr<const dtls::identity> own) {
    return std::shared_ptr<webrtc_services>{
      new webrtc_services(std::move(own), std::move(settings))};
  });
}

result<std::shared_ptr<webrtc_services>> webrtc_services::make(caf::actor_system& system,
                                                               webrtc_settings settings) {
  return make_simulated(std::move(settings)).map([&](std::shared_ptr<webrtc_services> made) {
    if (!made->settings_.lite)
      made->loop_ = std::make_unique<ice::agent_loop>();
    made->handshakes_ = system.spawn<handshake_worker>();
    return made;
  });
}

} // namespace jackfield
