#include "actors/load/answering_engine.hpp"

#include <utility>

namespace jackfield {

std::shared_ptr<const answer_manner>
answer_manner_of(const answering_settings& settings, const lane::endpoint& media_address,
                 std::shared_ptr<const transport::open_settings> connections) {
  auto manner = std::make_shared<answer_manner>();
  manner->connections = std::move(connections);
  manner->refuse_with = settings.refuse_with;
  manner->ring = settings.ring;
  manner->answer_after = settings.answer_after;
  manner->length = settings.length;
  sdp::media_capabilities capabilities;
  capabilities.rtcp_mux = true;
  if (settings.rtp) {
    auto audio = std::make_shared<audio_settings>();
    audio->mode = settings.mode;
    audio->source = settings.source;
    manner->audio = std::move(audio);
  } else {
    capabilities.wanted = sdp::direction::inactive;
  }
  manner->media = std::make_shared<sdp::offer_template>(media_address.address(), capabilities);
  return manner;
}

result<lane::endpoint> listen_on(lane_context& context, transport::protocol p,
                                 const lane::endpoint& local,
                                 const transport::listen_settings& settings) {
  auto bound = context.router.transport().listen(p, local, settings);
  if (!bound)
    return bound;
  if (!bound->is_unspecified())
    context.router.set_public_address(p, *bound);
  return bound;
}

caf::actor start_answering(lane_context& context, std::shared_ptr<const answer_manner> manner,
                           const registrar_settings& registrations, unsigned source,
                           std::shared_ptr<const trace_settings> trace) {
  auto own = std::make_shared<registrar_settings>(registrations);
  if (own->secret.empty()) {
    own->secret.resize(32);
    context.home.random_bytes(std::as_writable_bytes(std::span{own->secret}));
  }
  return context.home.spawn<answering_service>(context, std::move(manner), std::move(own), source,
                                               std::move(trace));
}

} // namespace jackfield
