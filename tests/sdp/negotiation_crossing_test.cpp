#include "engine/sdp/negotiation.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sdp/negotiation_sides.hpp"

namespace jackfield::sdp {
namespace {

using state = negotiation::state;

/// Two sides that offer, answer, refuse, withdraw and cross each other by chance, and what must
/// hold whatever they do.
class two_sides {
public:
  explicit two_sides(std::uint32_t seed)
      : random_(seed), sides_{side(ours(left())), side(theirs(right()))} {}

  void step() {
    const auto which = pick(2);
    auto& from = sides_[which];
    auto& to = sides_[1 - which];
    switch (pick(10)) {
    case 0:
    case 1:
      offer(from);
      break;
    case 2:
    case 3:
      deliver(from, to);
      break;
    case 4:
    case 5:
    case 6:
      answer(from, to);
      break;
    case 7:
      give_up(from, to);
      break;
    case 8:
      replay(from);
      break;
    default:
      from.it.set_port(static_cast<std::uint16_t>(20'000 + pick(4)));
      from.it = negotiation(from.it);
      break;
    }
    check();
  }

  std::size_t agreements = 0;
  std::size_t glares = 0;
  std::size_t late = 0;

private:
  struct side {
    explicit side(negotiation made) : it(std::move(made)) {}

    negotiation it;
    std::optional<made_offer> underway; ///< ours, not yet with the peer
    std::optional<made_offer> open;     ///< ours, with the peer
    std::uint32_t taken = 0;            ///< the number of the peer's open offer
    std::uint32_t last_number = 0;
    std::uint64_t version = 0;
    std::string text;
    std::vector<std::pair<std::uint32_t, std::string>> old_answers;
  };

  static media_capabilities left() {
    media_capabilities made;
    made.codecs = {opus(111), pcmu(), telephone_event(101), telephone_event(96, 48'000)};
    return made;
  }

  /// The same codecs and one more, under numbers that collide with the left side's.
  static media_capabilities right() {
    media_capabilities made;
    made.codecs = {g722(),
                   opus(101),
                   pcmu(),
                   telephone_event(111),
                   telephone_event(97, 48'000),
                   {"L16", 16'000, 1, 96, ""}};
    return made;
  }

  std::size_t pick(std::size_t below) { return random_() % below; }
  direction pick_direction() { return all_directions[pick(all_directions.size())]; }

  void made(side& by, const std::string& text) {
    auto description = parsed(text);
    EXPECT_EQ(print(description), text);
    EXPECT_GE(description.from.version, by.version);
    EXPECT_LE(description.from.version, by.version + 1);
    EXPECT_EQ(description.from.version == by.version, text == by.text);
    by.version = description.from.version;
    by.text = text;
  }

  void offer(side& from) {
    const bool stable = from.it.current() == state::stable;
    auto got = from.it.offer(pick_direction());
    EXPECT_EQ(got.has_value(), stable);
    if (got) {
      EXPECT_GT(got->number, from.last_number);
      from.last_number = got->number;
      made(from, got->text);
      from.underway = std::move(*got);
    }
  }

  void deliver(side& from, side& to) {
    if (!from.underway) {
      return;
    }
    auto sent = *std::exchange(from.underway, std::nullopt);
    const bool stable = to.it.current() == state::stable;
    auto got = to.it.take_offer(sent.text);
    EXPECT_EQ(got.has_value(), stable) << refusal(got);
    if (!got) {
      ++glares;
      EXPECT_TRUE(from.it.refuse(sent.number));
      return;
    }
    EXPECT_GT(*got, to.last_number);
    to.taken = to.last_number = *got;
    from.open = std::move(sent);
  }

  /// `from` answers what `to` has offered.
  void answer(side& from, side& to) {
    if (!to.open) {
      EXPECT_FALSE(from.it.answer(from.last_number, direction::sendrecv));
      return;
    }
    const auto wanted = pick_direction();
    const auto sent = *std::exchange(to.open, std::nullopt);
    const bool early = pick(3) == 0;
    if (early) {
      auto got = must(from.it.early_answer(from.taken, wanted));
      made(from, got.text);
      EXPECT_EQ(must(to.it.preview(sent.number, got.text)).way, reversed(got.audio.way));
    }
    auto got = must(from.it.answer(from.taken, wanted));
    if (early) {
      EXPECT_EQ(got.text, from.text);
    }
    made(from, got.text);
    auto taken = must(to.it.take_answer(sent.number, early && pick(2) == 0 ? "" : got.text));
    EXPECT_EQ(taken.way, reversed(got.audio.way));
    EXPECT_EQ(taken.audio.encoding, got.audio.audio.encoding);
    EXPECT_EQ(taken.send_payload_type, got.audio.receive_payload_type);
    EXPECT_EQ(taken.send_event_payload_type, got.audio.receive_event_payload_type);
    to.old_answers.emplace_back(sent.number, got.text);
    keep_numbers(sent.text);
    keep_numbers(got.text);
    ++agreements;
  }

  /// `from` withdraws its offer, or `to` refuses it.
  void give_up(side& from, side& to) {
    if (from.underway) {
      from.underway.reset();
      from.it.rollback();
    } else if (from.open) {
      from.old_answers.emplace_back(from.open->number, to.text);
      EXPECT_TRUE(from.it.refuse(from.open->number));
      EXPECT_TRUE(to.it.refuse(to.taken));
      from.open.reset();
    }
  }

  void replay(side& from) {
    if (from.old_answers.empty()) {
      return;
    }
    const auto& [number, text] = from.old_answers[pick(from.old_answers.size())];
    const auto before = from.it.current();
    const auto agreed = from.it.agreed();
    EXPECT_FALSE(from.it.take_answer(number, text));
    EXPECT_FALSE(from.it.preview(number, text));
    EXPECT_FALSE(from.it.answer(number, direction::sendrecv));
    EXPECT_FALSE(from.it.refuse(number));
    EXPECT_EQ(from.it.current(), before);
    EXPECT_EQ(from.it.agreed(), agreed);
    ++late;
  }

  /// What a payload type meant once it means for the session's life (RFC 3264 section 8.3.2).
  void keep_numbers(const std::string& text) {
    for (const auto& each : codecs_of(parsed(text).media[0])) {
      auto meaning = each.encoding + '/' + std::to_string(each.clock_rate);
      auto [at, fresh] = meanings_.emplace(each.payload_type, meaning);
      EXPECT_EQ(at->second, meaning) << "payload type " << unsigned{each.payload_type};
    }
  }

  void check() {
    auto& a = sides_[0].it;
    auto& b = sides_[1].it;
    EXPECT_EQ(a.agreed().has_value(), b.agreed().has_value());
    if (a.current() == state::stable && b.current() == state::stable && a.agreed() && b.agreed()) {
      EXPECT_EQ(*a.agreed(), reversed(*b.agreed()));
    }
    EXPECT_EQ(a.current() == state::local_offer,
              sides_[0].underway.has_value() || sides_[0].open.has_value());
    EXPECT_EQ(a.current() == state::remote_offer, sides_[1].open.has_value());
  }

  std::mt19937 random_;
  std::array<side, 2> sides_;
  std::map<std::uint8_t, std::string> meanings_;
};

TEST(negotiation, two_sides_agree_whatever_crosses_between_them) {
  std::size_t agreements = 0;
  std::size_t glares = 0;
  std::size_t late = 0;
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    two_sides made(seed);
    for (int i = 0; i < 2'000; ++i) {
      made.step();
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", step " << i;
    }
    agreements += made.agreements;
    glares += made.glares;
    late += made.late;
  }
  EXPECT_GT(agreements, 2'000u);
  EXPECT_GT(glares, 1'000u);
  EXPECT_GT(late, 1'000u);
}
} // namespace
} // namespace jackfield::sdp
