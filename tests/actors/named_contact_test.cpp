#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "actors/centre/bridged_call.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Bob calls Alice by way of a service that connects calls; her phone, which is busy, has
/// registered a contact by its host. A simulated host cannot look up names: that fails at once.
class named_contact_test : public testing::Test {
protected:
  named_contact_test()
      : world_(7), service_(world_.add_site("10.0.0.2")), phone_(world_.lane(), "10.0.0.3"),
        bob_(world_.lane(), "10.0.0.9"), media_(world_.lane(), "10.1.0.9") {
    auto manner = answer_manner_of(service_);
    add_audio(manner);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto bridge = std::make_shared<bridge_manner>();
    bridge->media = manner.media;
    bridge->audio = std::move(listens);
    manner.connect = std::move(bridge);
    world_.answer(service_, manner);
    phone_.on_message = [this](const std::string& m) {
      if (m.starts_with("INVITE "))
        phone_.answer(m, 486);
    };
  }
  static std::string to_alice(std::string text) {
    for (auto at = text.find("sip:service@"); at != std::string::npos;
         at = text.find("sip:service@"))
      text.replace(at, 12, "sip:alice@");
    return text;
  }
  void enrol(const std::string& host) {
    auto text = to_alice(phone_.request("REGISTER", service_.address, "r", {}, 1, {}, "phone"));
    const auto own = header_line(text, "Contact");
    text.replace(text.find(own), own.size(), "Contact: <sip:alice@" + host + ":5060>");
    phone_.send(service_.address, text);
    world_.pass(100ms);
    ASSERT_EQ(phone_.count("SIP/2.0 200"), 1U);
  }
  void say(std::string_view method) {
    bob_.send(service_.address,
              to_alice(bob_.request(method, service_.address, "1", {}, 1, {}, "raw",
                                    method == "INVITE" ? media_.description() : std::string{})));
  }

  sim_world world_;
  sim_site& service_;
  raw_peer phone_;
  raw_peer bob_;
  raw_media media_;
};

TEST_F(named_contact_test, is_called_where_it_says) {
  enrol("10.0.0.3");
  say("INVITE");
  world_.pass(100ms);
  EXPECT_EQ(phone_.count("INVITE "), 1U);
  EXPECT_EQ(bob_.count("SIP/2.0 486"), 1U);
}

TEST_F(named_contact_test, is_not_there_where_its_name_leads_nowhere) {
  enrol("nowhere.example.org");
  say("INVITE");
  world_.pass(3s);
  EXPECT_GE(bob_.count("SIP/2.0 480"), 1U);
  world_.pass(40s);
  world_.ask_for_metrics();
  EXPECT_EQ(world_.metrics_of(1).calls.failures, (std::map<report::failure_cause, uint64_t>{
                                                   {report::failure_cause::resolve_failed, 1}}));
}

} // namespace
} // namespace jackfield
