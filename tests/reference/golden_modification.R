# Writes golden/modification.json: the treatment's effect within each level of an effect modifier, hazard ratios of the
# treatment alone with both variances, E-values. Section `main` is of examples/relapsed-myeloma as it stands; `further` of
# the same with more effect modifiers (three levels, continuous, one that is no covariate) and with weighted interactions.
# Needs what golden.R needs. Usage, from this folder: Rscript golden_modification.R
source("golden_functions.R")
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]
d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); d$iss <- factor(d$iss_stage); d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$fish_high <- as.integer(d$fish == "high")
rhs <- "age + female + crcl + iss + ldh_high + dara_no + asct_no + fish_high"; n <- nrow(d)
ps <- glm(as.formula(paste("a ~", rhs)), binomial, d, control = tight_glm); Z <- model.matrix(ps); e <- fitted(ps); p <- mean(d$a); w <- ifelse(d$a == 1, p / e, (1 - p) / (1 - e))

# ---- E-values (VanderWeele & Ding 2017): odds and hazard ratios of outcomes with 15% events or more become risk ratios first ----
e_values <- function(b, se, hazard, events) { to_rr <- function(r) if (events / n < .15) r else if (hazard) (1 - .5^sqrt(r)) / (1 - .5^sqrt(1 / r)) else sqrt(r); ev <- function(rr) { rr <- ifelse(rr < 1, 1 / rr, rr); rr + sqrt(rr * (rr - 1)) }
  low <- exp(b - qnorm(.975) * se); high <- exp(b + qnorm(.975) * se); near <- ifelse(low > 1, low, ifelse(high < 1, high, 1)); list(e_value = ev(to_rr(exp(b))), e_value_limit = ev(to_rr(near))) }

# ---- covariances of a logistic or Cox fit at its maximum. M-estimation as in golden_functions.R, for any number of columns ----
m_estimation <- function(L, B) { dw <- ifelse(d$a == 1, -p * (1 - e) / e, (1 - p) * e / (1 - e)); G <- crossprod(L, dw * Z); infl <- w * L + ((d$a - e) * Z) %*% solve(crossprod(Z, e * (1 - e) * Z), t(G)) + outer((d$a - p) / n, colSums(L * ifelse(d$a == 1, 1 / e, -1 / (1 - e)))); B %*% crossprod(infl) %*% B }
fit_glm <- function(o, terms, weighted = FALSE) { v <- if (weighted) w else rep(1, n); X <- model.matrix(as.formula(paste("~", terms)), d); y <- d[[o]]; f <- suppressWarnings(glm.fit(X, y, v, family = binomial(), control = tight_glm)); b <- f$coefficients
  # glm reports the covariance before its last step: two further steps, and the covariance there.
  for (i in 1:2) { mu <- plogis(drop(X %*% b)); B <- solve(crossprod(X, v * mu * (1 - mu) * X)); b <- b + drop(B %*% crossprod(X, v * (y - mu))) }
  mu <- plogis(drop(X %*% b)); L <- (y - mu) * X; hc0 <- B %*% crossprod(v * L) %*% B
  if (!weighted) { g <- glm(as.formula(paste(o, "~", terms)), binomial, d, control = tight_glm); cat(o, "distance of HC0 from sandwich:", max(abs(sqrt(diag(hc0)) / sqrt(diag(vcovHC(g, "HC0"))) - 1)), "\n") }
  list(b = b, V = c(list(naive = B, robust = hc0, survey = hc0 * n / (n - 1)), if (weighted) list(m_estimation = m_estimation(L, B))), hazard = FALSE, events = sum(y)) }
outcomes <- list(pfs = c("pfs_days", "pfs_event"), os = c("os_days", "death"))
fit_cox <- function(o, terms, weighted = FALSE) { d$.t <- d[[outcomes[[o]][1]]]; d$.s <- d[[outcomes[[o]][2]]]; d$.w <- if (weighted) w else 1; f <- coxph(as.formula(paste("Surv(.t, .s) ~", terms)), d, weights = .w, robust = TRUE, control = tight_cox)
  list(b = coef(f), V = c(list(naive = f$naive.var, robust = f$var), if (weighted) list(m_estimation = m_estimation(as.matrix(residuals(f, type = "score")), f$naive.var))), hazard = TRUE, events = sum(d$.s)) }
fit <- function(o, ...) if (o %in% names(outcomes)) fit_cox(o, ...) else fit_glm(o, ...)

# ---- a linear combination: treatment plus x times a product ----
effects <- function(f, at) { C <- t(sapply(at, function(x) { k <- setNames(rep(0, length(f$b)), names(f$b)); k["a"] <- 1; k[names(x)] <- k[names(x)] + x; k })); b <- unname(drop(C %*% f$b)); se <- lapply(f$V, function(V) unname(sqrt(rowSums((C %*% V) * C))))
  list(term = names(at), estimate = b, std_error = lapply(se, I), statistic = lapply(se, function(s) I(b / s)), e_values = lapply(se, function(s) lapply(e_values(b, s, f$hazard, f$events), I))) }
name <- function(variable, places) paste0("regimen:IsaPd at ", variable, ":", places)
products <- list(dara_refr = list(c(), c("a:dara_no" = 1)), iss_stage = list(c(), c("a:issII" = 1), c("a:issIII" = 1)), age = lapply(c(55, 65.5, 75), function(x) c("a:age" = x)), lines = lapply(1:3, function(x) c("a:lines" = x)))
names(products$dara_refr) <- name("dara_refr", c("1", "0")); names(products$iss_stage) <- name("iss_stage", c("I", "II", "III")); names(products$age) <- name("age", c("55", "65.5", "75")); names(products$lines) <- name("lines", 1:3)
columns <- c(dara_refr = "dara_no", iss_stage = "iss", age = "age", lines = "lines")
interaction <- function(o, modifier) { x <- columns[[modifier]]; effects(fit(o, paste("a +", rhs, if (modifier == "lines") "+ lines", "+ a:", x)), products[[modifier]]) }
iptw_interaction <- function(o, modifier) { x <- columns[[modifier]]; f <- fit(o, paste("a +", x, "+ a:", x), TRUE); k <- grep(":", names(f$b)); V <- f$V$robust[k, k]; wald <- drop(t(f$b[k]) %*% solve(V, f$b[k])); c(effects(f, products[[modifier]]), list(wald = wald, wald_p = pchisq(wald, length(k), lower.tail = FALSE))) }
treatment <- function(o, weighted) { f <- fit_cox(o, "a", weighted); f$V$m_estimation <- NULL; x <- effects(f, setNames(list(c()), "regimen:IsaPd")); x }
over <- function(names, what) sapply(names, what, simplify = FALSE)

main <- list(interaction = over(c("response", "neutropenia", "infection", "pfs", "os"), function(o) over("dara_refr", function(m) interaction(o, m))),
  hazard_ratio = over(c("pfs", "os"), function(o) list(unadjusted = treatment(o, FALSE), iptw = treatment(o, TRUE))),
  treatment = over(c("response", "neutropenia", "infection", "disc_ae", "pfs", "os"), function(o) c(list(unadjusted = effects(fit(o, "a"), setNames(list(c()), "regimen:IsaPd")), iptw = effects(fit(o, "a", TRUE), setNames(list(c()), "regimen:IsaPd"))), if (o != "disc_ae") list(adjusted = effects(fit(o, paste("a +", rhs)), setNames(list(c()), "regimen:IsaPd"))))))
further <- list(interaction = over(c("response", "pfs"), function(o) over(c("iss_stage", "lines"), function(m) interaction(o, m))), iptw_interaction = over(c("response", "pfs"), function(o) over(c("iss_stage", "lines"), function(m) iptw_interaction(o, m))),
  # In an analysis of its own, naive variance.
  continuous = over(c("response", "pfs"), function(o) over("age", function(m) { x <- interaction(o, m); for (k in c("std_error", "statistic", "e_values")) x[[k]] <- x[[k]]["naive"]; x })))
save_json(list(main = main, further = further), "modification")
