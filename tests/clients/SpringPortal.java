package portal;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.oauth2.jwt.*;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.*;

@RestController
@SpringBootApplication
public class SpringPortal {
  public static void main(String[] args) {
    SpringApplication.run(SpringPortal.class, args);
  }

  @GetMapping("/")
  String home(@AuthenticationPrincipal OidcUser user) {
    return "<p id=\"website\">" + user.getSubject() + " " + user.getEmail() + "</p>";
  }

  @GetMapping("/api/me")
  String me(@AuthenticationPrincipal Jwt token) {
    return token.getSubject();
  }

  @GetMapping("/bye")
  String bye() {
    return "<p id=\"bye\"></p>";
  }

  // People: the code flow with PKCE, signing out here and there, and hearing of it from behind.
  @Bean
  SecurityFilterChain pages(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
    var leave = new OidcClientInitiatedLogoutSuccessHandler(clients);
    leave.setPostLogoutRedirectUri("{baseUrl}/bye");
    return http
        .authorizeHttpRequests(all -> all.requestMatchers("/bye").permitAll().anyRequest().authenticated())
        .oauth2Login(withDefaults())
        .logout(logout -> logout.logoutSuccessHandler(leave))
        .oidcLogout(logout -> logout.backChannel(withDefaults()))
        .build();
  }

  // Programs: access tokens, whose type is at+jwt (RFC 9068); an ID token opens nothing here.
  @Bean
  @Order(1)
  SecurityFilterChain api(HttpSecurity http, @Value("${ISSUER}") String issuer) throws Exception {
    var decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
    decoder.setJwtValidator(
        new DelegatingOAuth2TokenValidator<>(
            new JwtTimestampValidator(), new JwtIssuerValidator(issuer), new JwtTypeValidator("at+jwt")));
    return http
        .securityMatcher("/api/**")
        .authorizeHttpRequests(all -> all.anyRequest().authenticated())
        .oauth2ResourceServer(server -> server.jwt(jwt -> jwt.decoder(decoder)))
        .build();
  }
}
