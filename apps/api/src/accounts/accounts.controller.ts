import { Body, Controller, HttpCode, Inject, Ip, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  type Login,
  LoginSchema,
  type RefreshToken,
  RefreshTokenSchema,
  type Session,
  SessionSchema,
  type Signup,
  SignupSchema,
} from '@parley/contracts';
import { LogIn, LogOut, type Principal, RefreshSession, SignUp } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Public } from '../auth/public.js';
import { Operation } from '../documents/operation.js';

@Controller('v1/auth')
export class AccountsController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Public()
  @Post('signup')
  @Operation({
    tag: 'Accounts',
    summary: 'Make an account and its first session',
    description: 'A user name that is taken answers `conflict`.',
    answers: [{ status: 201, description: 'The session', schema: SessionSchema }],
    refusals: ['conflict', 'overloaded'],
  })
  signUp(@Body({ schema: SignupSchema }) body: Signup): Promise<Session> {
    return this.commands.execute(new SignUp(body));
  }

  @Public()
  @Post('login')
  @HttpCode(200)
  @Operation({
    tag: 'Accounts',
    summary: 'Open a session by user name and password',
    description:
      'A name that nobody has and a wrong password answer alike. Failed attempts are counted: by account and address, and by address.',
    answers: [{ status: 200, description: 'The session', schema: SessionSchema }],
    refusals: ['invalid_credentials', 'overloaded'],
  })
  logIn(@Body({ schema: LoginSchema }) body: Login, @Ip() address: string): Promise<Session> {
    return this.commands.execute(new LogIn(body, address));
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  @Operation({
    tag: 'Accounts',
    summary: 'Swap a refresh token for new tokens of the same session',
    description:
      'Each refresh token works once. One that was used before ends its whole session and closes its sockets.',
    answers: [{ status: 200, description: 'The session, with the next refresh token', schema: SessionSchema }],
    refusals: ['unauthenticated', 'token_expired', 'session_revoked', 'refresh_reused'],
  })
  refresh(@Body({ schema: RefreshTokenSchema }) body: RefreshToken): Promise<Session> {
    return this.commands.execute(new RefreshSession(body.refreshToken));
  }

  @Post('logout')
  @HttpCode(204)
  @Operation({
    tag: 'Accounts',
    summary: 'End the session of a refresh token',
    answers: [{ status: 204, description: 'Its access tokens count no more and its sockets close', schema: null }],
  })
  logOut(@CurrentUser() caller: Principal, @Body({ schema: RefreshTokenSchema }) body: RefreshToken): Promise<void> {
    return this.commands.execute(new LogOut(caller.userId, body.refreshToken));
  }
}
