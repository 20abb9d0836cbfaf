#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/centre/bridge_terms.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/centre/centre_messages.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"

namespace caf {
struct down_msg;
}

namespace jackfield {

struct bridge_manner;

/// On whose behalf agents' phones are called.
struct ringing_terms {
  std::string from; ///< value without tag
  std::string to;
  codec_list spoken; ///< codecs by which the other side may be heard; they are offered first
  unsigned max_forwards = 70;
};

/// Rings all phones of agents whom a call is offered to, and tells the actor of each, once, what
/// became of that (`ring_over`). The first phone that answers an offer is the one; when its agent
/// says `connect_agent`, that phone talks, and is the call's from then on.
///
/// A part of the call's actor, on whose lane the phones' streams are; their legs are on the lanes
/// of their connections. The call hands on what they, agents and the registrar say: all but what
/// the phone that talks says. After each of these it asks whether it is over itself.
class agent_ringer {
public:
  /// `shards` tells where other lanes keep calls; null: all is on this one.
  agent_ringer(lane::lane_actor& call, lane_context& context,
               std::shared_ptr<const bridge_manner> manner,
               std::shared_ptr<const registrar_shards> shards);

  /// Before anything rings.
  void use(ringing_terms terms) { terms_ = std::move(terms); }
  /// `registrar` answers `look_up_contacts`.
  void ring(const ring_agent& wanted, const caf::strong_actor_ptr& registrar);
  /// Tells the agent that there is no call for it.
  void decline(const ring_agent& wanted);

  void on_contacts(const contacts_found& found);
  void on_located(const servers_located& found);
  void on_prepared(const leg_events::prepared& prepared);
  void on_answered(const leg_events::answered& answered);
  /// A leg that is no phone's is none of its business; nor is the stream in the next two.
  void on_ended(const leg_events::ended& ended);
  void on_opened(const media_opened& opened);
  void on_closed(const media_closed& closed);
  void on_down(const caf::down_msg& down);
  void on_stop(const stop_ringing& wanted);

  /// The agent whose phone answered that offer, and talks from now on; null: there is none.
  [[nodiscard]] const agent_address* connect(const offer_key& key);
  /// Ends all offers but the one that talks: the call is nobody else's now.
  void withdraw();
  /// Closes all streams; true: there is none.
  bool close();
  /// Without a word: the call's actor ends.
  void let_go();

  /// Null: none does. Stays where it is.
  [[nodiscard]] call_side* talking() noexcept { return talking_; }
  [[nodiscard]] const call_side* talking() const noexcept { return talking_; }
  /// Whose leg spoke, or stream; null: no phone's.
  [[nodiscard]] call_side* speaker();
  [[nodiscard]] call_side* player();
  /// A phone's leg is.
  [[nodiscard]] bool up() const noexcept;

private:
  struct phone;
  /// An agent who is called.
  struct offer {
    offer_key key;
    agent_address agent;
    uint64_t look_up = 0; ///< for its contacts
    /// What its phones said; what tells more about the agent counts.
    policy::ring_result said = policy::ring_result::unreachable;
    phone* answered = nullptr;
    bool over = false; ///< its outcome was told
  };
  /// One of an agent's phones.
  struct phone : call_side {
    uint32_t tag = 0;
    offer_key offer;
    registered_contact contact;
    std::shared_ptr<const sdp::offer_template> media;
    uint64_t look_up = 0; ///< for its servers
  };

  void ring_phone(const offer& of, const registered_contact& contact);
  void call_phone(phone& one);
  void place(phone& one, const transport::target_selection& servers);
  void phone_over(phone& one);
  /// Has its phones stop, and tells what became of it, once.
  void end_offer(offer& one, policy::ring_result how);
  void stop_phones(const offer& of, const phone* but);
  void forget(const phone& one);
  [[nodiscard]] phone* phone_of(const call_side* side);
  [[nodiscard]] offer* offer_of(const offer_key& key);

  lane::lane_actor& call_;
  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  std::shared_ptr<const registrar_shards> shards_;
  ringing_terms terms_;
  std::list<phone> phones_; // their addresses stay
  std::vector<offer> offers_;
  phone* talking_ = nullptr;
  uint32_t tags_ = 0;
  uint64_t look_ups_ = 0;
};

} // namespace jackfield
