#include "actors/load/answering_engine.hpp"

#include <utility>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"

namespace jackfield {

std::shared_ptr<const answer_manner>
answer_manner_of(const answering_settings& settings, const lane::endpoint& media_address,
                 std::shared_ptr<const transport::open_settings> connections) {
  auto manner = std::make_shared<answer_manner>();
  manner->connections = std::move(connections);
  manner->refuse_with = settings.refuse_with;
  manner->ring = settings.ring;
  manner->answer_after = settings.answer_after;
  manner->busy_share = settings.busy_share;
  manner->answer_share = settings.answer_share;
  manner->ring_limit = settings.ring_limit;
  manner->seed = settings.seed;
  manner->length = settings.length;
  manner->check_after = settings.check_after;
  sdp::media_capabilities capabilities;
  capabilities.rtcp_mux = true;
  describe_codecs(capabilities, settings.codecs, settings.opus);
  if (settings.rtp) {
    auto audio = std::make_shared<audio_settings>();
    audio->mode = settings.mode;
    audio->source = settings.source;
    audio->opus = settings.opus;
    audio->listens = settings.listens;
    audio->expects = settings.expects;
    audio->silence_limit = settings.media_timeout;
    audio->unheard_limit = settings.check_after;
    manner->audio = std::move(audio);
    if (settings.protection)
      require_protection(capabilities, *settings.protection);
    else
      accept_any_protection(capabilities);
  } else {
    capabilities.wanted = sdp::direction::inactive;
  }
  manner->media = std::make_shared<sdp::offer_template>(media_address.address(), capabilities);
  if (settings.connect) {
    auto bridge = std::make_shared<bridge_manner>();
    bridge->connections = manner->connections;
    bridge->media = manner->media;
    auto audio = std::make_shared<audio_settings>();
    audio->mode = audio_mode::listen;
    audio->silence_limit = settings.media_timeout;
    audio->listens = settings.listens;
    bridge->audio = std::move(audio);
    manner->connect = std::move(bridge);
  }
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
                           const registrar_settings& registrations, unsigned source) {
  return context.home.spawn<answering_service>(context, std::move(manner),
                                               with_secret(registrations, context.home), source);
}

std::vector<caf::actor> start_answering(node& engine,
                                        const std::shared_ptr<const answer_manner>& manner,
                                        const registrar_settings& registrations,
                                        const std::shared_ptr<const trace_settings>& trace) {
  const auto own = with_secret(registrations, engine.context(0).home);
  const auto shards = std::make_shared<registrar_shards>(engine.lanes());
  std::vector<caf::actor> services;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    auto& context = engine.context(i);
    services.push_back(
      context.home.spawn<answering_service>(context, manner, own, i, shards, trace));
    engine.keep(services.back());
  }
  return services;
}

} // namespace jackfield
