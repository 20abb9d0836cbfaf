#include "app/webhooks/webhook_settings.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::webhooks {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(webhook_url, is_taken_apart) {
  const auto url = webhook_url::parse("https://hooks.example.com/a/b?key=1&x=%20").value();
  EXPECT_TRUE(url.secure);
  EXPECT_EQ(url.host, "hooks.example.com");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.target, "/a/b?key=1&x=%20");
  EXPECT_EQ(url.authority(), "hooks.example.com");
  EXPECT_EQ(url.shown(), "https://hooks.example.com/a/b");
  EXPECT_FALSE(url.is_loopback());
  const auto plain = webhook_url::parse("http://127.0.0.1:8080").value();
  EXPECT_FALSE(plain.secure);
  EXPECT_EQ(plain.port, 8080);
  EXPECT_EQ(plain.target, "/");
  EXPECT_EQ(plain.authority(), "127.0.0.1:8080");
  EXPECT_TRUE(plain.is_loopback());
  const auto query = webhook_url::parse("http://localhost?a=b").value();
  EXPECT_EQ(query.target, "/?a=b");
  EXPECT_TRUE(query.is_loopback());
  const auto six = webhook_url::parse("https://[2001:db8::1]:444/x").value();
  EXPECT_EQ(six.host, "2001:db8::1");
  EXPECT_EQ(six.authority(), "[2001:db8::1]:444");
  EXPECT_EQ(six.shown(), "https://[2001:db8::1]:444/x");
  EXPECT_TRUE(webhook_url::parse("http://[::1]/").value().is_loopback());
  EXPECT_FALSE(webhook_url::parse("http://localhost.example.com/").value().is_loopback());
}

TEST(webhook_url, that_is_none_is_refused_and_not_quoted) {
  for (const std::string url : {"",
                                "/",
                                "hooks.example.com/canary",
                                "ftp://example.com/canary",
                                "https://",
                                "https:///canary",
                                "https://u:canary@example.com/",
                                "https://example.com:0/canary",
                                "https://example.com:65536/canary",
                                "https://example.com:x/canary",
                                "https://example.com:/canary",
                                "https://exa mple.com/canary",
                                "https://example.com/canary\r\nX-Injected: 1",
                                "https://example.com/#canary",
                                "https://[::1/canary",
                                "https://[::1]x/canary",
                                "https://[]/canary",
                                "https://[127.0.0.1]/",
                                "https://b\xc3\xbcro.example.com/canary",
                                "https://example.com/\x7f",
                                "https://a[b]/canary",
                                "HTTPS://example.com/canary"}) {
    const auto read = webhook_url::parse(url);
    ASSERT_FALSE(read) << url;
    EXPECT_THAT(read.error().to_string(), Not(HasSubstr("canary"))) << url;
    EXPECT_THAT(read.error().to_string(), HasSubstr("expected \"https://")) << url;
  }
  EXPECT_FALSE(webhook_url::parse("https://example.com/" + std::string(2048, 'a')));
}

// Of the Standard Webhooks specification's own libraries.
TEST(webhook_signature, is_that_of_the_standard) {
  const auto secret = read_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  EXPECT_EQ(webhook_signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                              R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(webhook_secret, that_is_none_is_refused_and_not_quoted) {
  const std::string sound = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(read_webhook_secret("whsec_" + sound).value().size(), 24U);
  EXPECT_TRUE(read_webhook_secret("whsec_" + std::string(84, 'A') + "AA==")); // 64 bytes
  for (const auto& secret :
       {std::string{}, sound, std::string{"whsec_"}, "whsec_" + sound.substr(4), "WHSEC_" + sound,
        "whsec_" + sound + "=", "whsec_" + sound + "A", "whsec_" + sound + "\n",
        "whsec_" + sound + " ", "whsec_" + sound.substr(1) + "-", "whsec_" + std::string(88, 'A'),
        "whsec_" + std::string(10'000, 'A')}) {
    const auto read = read_webhook_secret(secret);
    ASSERT_FALSE(read) << secret.substr(0, 100);
    EXPECT_THAT(read.error().to_string(), Not(HasSubstr("MfKQ"))) << secret;
  }
}

} // namespace
} // namespace jackfield::webhooks
